/* lwIP under full control: every command of the protocol that its raw API knows.
 *
 * lwIP's callbacks tell what happened; a connection block may be gone at any time after that, so it is looked up by its
 * argument each time instead of being remembered.
 */
#define _DEFAULT_SOURCE
#include "../../kit/tcpspec.h"
#include "wire.h"

#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>

#define CONNS 4096
#define LISTENERS 16
#define CHUNK 8192

enum ending { NONE, SHUTDOWN, CLOSE };

struct conn {
  unsigned handle;
  int is_up, has_eof, has_ended; /* the last: its end was told, or asked for */
  struct pbuf *inbox;
  uint64_t read, written, unwritten;
  enum ending ending; /* asked for while octets were unwritten */
  int is_reading;
  struct tcpspec_command reading;
  uint64_t wanted, got;
  int64_t wrong; /* where the octets differ first, or -1 */
};

static struct conn *conns[CONNS];
static unsigned count;
static struct tcp_pcb *listeners[LISTENERS];

/* -- looking things up ------------------------------------------------------------------------------------------ */

static struct tcp_pcb *among(struct tcp_pcb *list, const struct conn *conn) {
  for (; list; list = list->next)
    if (list->callback_arg == conn)
      return list;
  return NULL;
}

static struct tcp_pcb *pcb_of(const struct conn *conn) {
  struct tcp_pcb *pcb = among(tcp_active_pcbs, conn);
  return pcb ? pcb : among(tcp_tw_pcbs, conn);
}

static const char *state_of(const struct conn *conn) {
  static const char *const names[] = {"CLOSED",      "LISTEN",      "SYN-SENT",   "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
                                      "FIN-WAIT-2",  "CLOSE-WAIT",  "CLOSING",    "LAST-ACK",     "TIME-WAIT"};
  struct tcp_pcb *pcb = pcb_of(conn);
  return names[pcb ? pcb->state : CLOSED];
}

static struct conn *new_conn(void) {
  struct conn *conn = calloc(1, sizeof *conn);
  if (!conn || count == CONNS)
    tcpspec_die("too many connections");
  conns[count++] = conn;
  conn->handle = count;
  return conn;
}

/* -- reading and writing ---------------------------------------------------------------------------------------- */

/* Answers a `recv` that waits, when enough has come. */
static void serve(struct conn *conn) {
  unsigned char octets[CHUNK];
  struct tcp_pcb *pcb = pcb_of(conn);
  if (!conn->is_reading)
    return;
  while (conn->inbox && conn->got < conn->wanted) {
    uint64_t left = conn->wanted - conn->got;
    u16_t n = pbuf_copy_partial(conn->inbox, octets, (u16_t)(left < CHUNK ? left : CHUNK), 0);
    if (conn->wrong < 0)
      conn->wrong = tcpspec_mismatch(conn->read, octets, n);
    conn->inbox = pbuf_free_header(conn->inbox, n);
    conn->read += n;
    conn->got += n;
    if (pcb && pcb->state != TIME_WAIT)
      tcp_recved(pcb, n);
  }
  conn->is_reading = 0;
  if (conn->wrong >= 0)
    tcpspec_mismatched(&conn->reading, conn->wrong);
  else if (conn->got == conn->wanted)
    tcpspec_ok(&conn->reading, "%llu", (unsigned long long)conn->got);
  else if (conn->has_eof)
    tcpspec_ok(&conn->reading, "%llu eof", (unsigned long long)conn->got);
  else if (!pcb)
    tcpspec_error(&conn->reading, "no connection");
  else
    conn->is_reading = 1;
}

static err_t end(struct conn *conn, struct tcp_pcb *pcb, enum ending how) {
  conn->ending = NONE;
  return how == SHUTDOWN ? tcp_shutdown(pcb, 0, 1) : tcp_close(pcb);
}

/* Writes what there is room for, and ends the connection behind it where that was asked for. */
static void push(struct conn *conn) {
  unsigned char octets[CHUNK];
  struct tcp_pcb *pcb = pcb_of(conn);
  if (!pcb) {
    conn->unwritten = 0;
    return;
  }
  while (conn->unwritten) {
    size_t n = conn->unwritten < CHUNK ? (size_t)conn->unwritten : CHUNK;
    if (n > tcp_sndbuf(pcb))
      n = tcp_sndbuf(pcb);
    tcpspec_octets(conn->written, octets, n);
    if (!n || tcp_write(pcb, octets, (u16_t)n, TCP_WRITE_FLAG_COPY) != ERR_OK)
      break;
    conn->written += n;
    conn->unwritten -= n;
  }
  tcp_output(pcb);
  if (!conn->unwritten && conn->ending)
    end(conn, pcb, conn->ending);
}

/* -- what lwIP tells -------------------------------------------------------------------------------------------- */

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len) {
  (void)pcb, (void)len;
  push(arg);
  return ERR_OK;
}

static err_t on_received(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err) {
  struct conn *conn = arg;
  (void)pcb, (void)err;
  if (!p) {
    conn->has_eof = 1;
    tcpspec_event("eof", conn->handle);
  } else if (conn->inbox) {
    pbuf_cat(conn->inbox, p);
  } else {
    conn->inbox = p;
  }
  serve(conn);
  return ERR_OK;
}

static void on_end(void *arg, err_t err) {
  struct conn *conn = arg;
  const char *event = err == ERR_CLSD ? "closed" : err != ERR_RST ? "timed-out" : conn->is_up ? "reset" : "refused";
  if (!conn->has_ended)
    tcpspec_event(event, conn->handle);
  conn->has_ended = 1;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err) {
  struct conn *conn = arg;
  (void)pcb, (void)err;
  conn->is_up = 1;
  tcpspec_event("connected", conn->handle);
  push(conn);
  return ERR_OK;
}

static void listen_to(struct conn *conn, struct tcp_pcb *pcb) {
  tcp_arg(pcb, conn);
  tcp_recv(pcb, on_received);
  tcp_sent(pcb, on_sent);
  tcp_err(pcb, on_end);
}

static err_t on_accepted(void *arg, struct tcp_pcb *pcb, err_t err) {
  struct conn *conn;
  (void)arg;
  if (err != ERR_OK || !pcb)
    return ERR_VAL;
  conn = new_conn();
  conn->is_up = 1;
  listen_to(conn, pcb);
  tcpspec_accepted(conn->handle, ipaddr_ntoa(&pcb->remote_ip), pcb->remote_port);
  return ERR_OK;
}

/* -- commands --------------------------------------------------------------------------------------------------- */

static void do_listen(const struct tcpspec_command *c, unsigned port) {
  struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY);
  unsigned i = 0;
  err_t err;
  ip_set_option(pcb, SOF_REUSEADDR); /* or nobody could connect from this port */
  err = tcp_bind(pcb, IP_ANY_TYPE, (u16_t)port);
  while (i < LISTENERS && listeners[i])
    i++;
  if (err != ERR_OK || i == LISTENERS) {
    tcp_abort(pcb);
    tcpspec_error(c, "%s", err == ERR_USE ? "the port is in use" : "cannot listen");
    return;
  }
  listeners[i] = tcp_listen(pcb);
  tcp_accept(listeners[i], on_accepted);
  tcpspec_ok(c, NULL);
}

/* `port` 0 stands for every port. */
static void do_unlisten(const struct tcpspec_command *c, unsigned port) {
  unsigned i;
  for (i = 0; i < LISTENERS; i++) {
    if (listeners[i] && (!port || listeners[i]->local_port == port)) {
      tcp_close(listeners[i]);
      listeners[i] = NULL;
    }
  }
  tcpspec_ok(c, NULL);
}

/* From port `from`, or from any where that is 0. */
static void do_connect(const struct tcpspec_command *c, unsigned from, const char *address, unsigned port) {
  ip_addr_t to;
  struct conn *conn = new_conn();
  struct tcp_pcb *pcb;
  err_t err;
  if (!ipaddr_aton(address, &to)) {
    tcpspec_error(c, "that is no address");
    return;
  }
  pcb = tcp_new_ip_type(IP_GET_TYPE(&to));
  listen_to(conn, pcb);
  ip_set_option(pcb, SOF_REUSEADDR);
  err = from ? tcp_bind(pcb, IP_ANY_TYPE, (u16_t)from) : ERR_OK;
  if (err == ERR_OK)
    err = tcp_connect(pcb, &to, (u16_t)port, on_connected);
  if (err != ERR_OK) {
    conn->has_ended = 1;
    tcp_abort(pcb);
    tcpspec_error(c, "tcp_connect: %d", err);
    return;
  }
  tcpspec_ok(c, "%u", conn->handle);
}

static void do_send(const struct tcpspec_command *c, struct conn *conn, uint64_t octets) {
  struct tcp_pcb *pcb = pcb_of(conn);
  /* The states in which tcp_write() takes octets. */
  int takes = pcb && (pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT || pcb->state == SYN_SENT || pcb->state == SYN_RCVD);
  if (!takes || conn->ending) {
    tcpspec_error(c, "%s", pcb ? "connection closing" : "no connection");
    return;
  }
  conn->unwritten += octets;
  push(conn);
  tcpspec_ok(c, NULL);
}

static void do_end(const struct tcpspec_command *c, struct conn *conn, enum ending how) {
  struct tcp_pcb *pcb = pcb_of(conn);
  if (!pcb) {
    tcpspec_error(c, "no connection");
    return;
  }
  if (conn->unwritten)
    conn->ending = how;
  else if (end(conn, pcb, how) != ERR_OK) {
    tcpspec_error(c, "connection closing");
    return;
  }
  tcpspec_ok(c, NULL);
}

static void do_abort(const struct tcpspec_command *c, struct conn *conn) {
  struct tcp_pcb *pcb = pcb_of(conn);
  conn->has_ended = 1;
  if (pcb)
    tcp_abort(pcb);
  tcpspec_ok(c, NULL);
}

static void do_option(const struct tcpspec_command *c, struct conn *conn, const char *name, long value) {
  struct tcp_pcb *pcb = pcb_of(conn);
  if (!pcb) {
    tcpspec_error(c, "no connection");
    return;
  }
  if (!strcmp(name, "nodelay")) {
    if (value)
      tcp_nagle_disable(pcb);
    else
      tcp_nagle_enable(pcb);
  } else if (!strcmp(name, "keepalive")) {
    if (value)
      ip_set_option(pcb, SOF_KEEPALIVE);
    else
      ip_reset_option(pcb, SOF_KEEPALIVE);
  } else if (!strcmp(name, "keepalive_idle")) {
    pcb->keep_idle = (u32_t)value;
  } else if (!strcmp(name, "keepalive_interval")) {
    pcb->keep_intvl = (u32_t)value;
  } else if (!strcmp(name, "keepalive_count")) {
    pcb->keep_cnt = (u32_t)value;
  } else if (!strcmp(name, "ttl")) {
    pcb->ttl = (u8_t)value;
  } else if (!strcmp(name, "tos")) {
    pcb->tos = (u8_t)value;
  } else {
    tcpspec_unsupported(c);
    return;
  }
  tcpspec_ok(c, NULL);
}

/* Forgets every connection and listener. */
static void do_reset(const struct tcpspec_command *c) {
  unsigned i;
  for (i = 0; i < count; i++) {
    struct tcp_pcb *pcb = pcb_of(conns[i]);
    conns[i]->has_ended = 1;
    if (pcb)
      tcp_abort(pcb);
    if (conns[i]->inbox)
      pbuf_free(conns[i]->inbox);
    free(conns[i]);
  }
  count = 0;
  for (i = 0; i < LISTENERS; i++) {
    if (listeners[i])
      tcp_close(listeners[i]);
    listeners[i] = NULL;
  }
  tcpspec_ok(c, NULL);
}

static void do_on_conn(const struct tcpspec_command *c, struct conn *conn) {
  unsigned handle;
  unsigned long long octets;
  char name[64];
  long value;
  if (!strcmp(c->word, "send") && sscanf(c->rest, "%u %llu", &handle, &octets) == 2) {
    do_send(c, conn, octets);
  } else if (!strcmp(c->word, "recv") && sscanf(c->rest, "%u %llu", &handle, &octets) == 2) {
    conn->is_reading = 1;
    conn->reading = *c;
    conn->wanted = octets;
    conn->got = 0;
    conn->wrong = -1;
    serve(conn);
  } else if (!strcmp(c->word, "shutdown")) {
    do_end(c, conn, SHUTDOWN);
  } else if (!strcmp(c->word, "close")) {
    do_end(c, conn, CLOSE);
  } else if (!strcmp(c->word, "abort")) {
    do_abort(c, conn);
  } else if (!strcmp(c->word, "status")) {
    tcpspec_ok(c, "%s", state_of(conn));
  } else if (!strcmp(c->word, "option") && sscanf(c->rest, "%u %63s %ld", &handle, name, &value) == 3) {
    do_option(c, conn, name, value);
  } else {
    tcpspec_unsupported(c);
  }
}

static int is_listening(void) {
  unsigned i = 0;
  while (i < LISTENERS && !listeners[i])
    i++;
  return i < LISTENERS;
}

static void do_status_of_listener(const struct tcpspec_command *c) {
  if (is_listening())
    tcpspec_ok(c, "LISTEN");
  else
    tcpspec_error(c, "no such connection");
}

static void command(const struct tcpspec_command *c) {
  unsigned number, from;
  char address[64];
  if (!strcmp(c->word, "hello"))
    tcpspec_ok(c, NULL);
  else if (!strcmp(c->word, "reset"))
    do_reset(c);
  else if (!strcmp(c->word, "listen") && sscanf(c->rest, "%u", &number) == 1)
    do_listen(c, number);
  else if (!strcmp(c->word, "unlisten") && sscanf(c->rest, "%u", &number) == 1)
    do_unlisten(c, number);
  else if (!strcmp(c->word, "connect") && sscanf(c->rest, "%63s %u", address, &number) == 2)
    do_connect(c, 0, address, number);
  else if (!strcmp(c->word, "open") && sscanf(c->rest, "%u %63s %u", &from, address, &number) == 3)
    do_connect(c, from, address, number);
  else if (!strcmp(c->word, "status") && !strcmp(c->rest, "0"))
    do_status_of_listener(c);
  else if (!strcmp(c->word, "abort") && !strcmp(c->rest, "0") && is_listening())
    do_unlisten(c, 0);
  else if (!strcmp(c->word, "option") && !strncmp(c->rest, "0 ", 2))
    tcpspec_unsupported(c); /* lwIP's buffers are constants */
  else if (sscanf(c->rest, "%u", &number) == 1 && number >= 1 && number <= count)
    do_on_conn(c, conns[number - 1]);
  else
    tcpspec_error(c, "no such connection");
}

/* Tells the ends that lwIP does not tell: it forgets a closed connection without a word. */
static void tell_ends(void) {
  unsigned i;
  for (i = 0; i < count; i++) {
    if (pcb_of(conns[i]))
      continue;
    if (!conns[i]->has_ended)
      tcpspec_event("closed", conns[i]->handle);
    conns[i]->has_ended = 1;
    serve(conns[i]);
  }
}

int main(void) {
  struct tcpspec_command c;
  wire_up();
  for (;;) {
    wire_wait(1);
    while (tcpspec_command(&c)) {
      wire_receive(); /* what was sent before the command comes before it */
      command(&c);
    }
    tell_ends();
  }
}
