/* An echo server on lwIP's raw API: the smallest program that tcpspec can test. */
#define _DEFAULT_SOURCE
#include "../../kit/tcpspec.h"
#include "wire.h"

#include <lwip/tcp.h>

/* What was received and has found no room in the send buffer yet. */
struct echo {
  struct pbuf *waiting;
  int is_closing;
};

static err_t finish(struct echo *echo, struct tcp_pcb *pcb) {
  tcp_arg(pcb, NULL);
  tcp_recv(pcb, NULL);
  tcp_sent(pcb, NULL);
  tcp_err(pcb, NULL);
  free(echo);
  return tcp_close(pcb);
}

static void pump(struct echo *echo, struct tcp_pcb *pcb) {
  while (echo->waiting) {
    struct pbuf *first = echo->waiting;
    u16_t len = first->len;
    if (len > tcp_sndbuf(pcb) || tcp_write(pcb, first->payload, len, TCP_WRITE_FLAG_COPY) != ERR_OK)
      break;
    echo->waiting = pbuf_dechain(first);
    pbuf_free(first);
    tcp_recved(pcb, len);
  }
  tcp_output(pcb);
  if (!echo->waiting && echo->is_closing)
    finish(echo, pcb);
}

static err_t sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
  (void)len;
  pump(arg, pcb);
  return ERR_OK;
}

static err_t received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  struct echo *echo = arg;
  (void)err;
  if (!p)
    echo->is_closing = 1;
  else if (echo->waiting)
    pbuf_cat(echo->waiting, p);
  else
    echo->waiting = p;
  pump(echo, pcb);
  return ERR_OK;
}

static void ended(void *arg, err_t err) {
  struct echo *echo = arg;
  (void)err;
  if (echo->waiting)
    pbuf_free(echo->waiting);
  free(echo);
}

static err_t accepted(void *arg, struct tcp_pcb *pcb, err_t err) {
  struct echo *echo = calloc(1, sizeof *echo);
  (void)arg;
  if (err != ERR_OK || !echo) {
    free(echo);
    return ERR_VAL;
  }
  tcp_arg(pcb, echo);
  tcp_recv(pcb, received);
  tcp_sent(pcb, sent);
  tcp_err(pcb, ended);
  return ERR_OK;
}

int main(void) {
  const char *port = getenv("TCPSPEC_PORT");
  struct tcp_pcb *listener;
  wire_up();
  listener = tcp_new_ip_type(IPADDR_TYPE_ANY);
  if (tcp_bind(listener, IP_ANY_TYPE, (u16_t)atoi(port ? port : "7")) != ERR_OK)
    tcpspec_die("cannot bind");
  listener = tcp_listen(listener);
  tcp_accept(listener, accepted);
  for (;;)
    wire_wait(0);
}
