/* lwIP over the wire of the harness: a network interface, and the loop that feeds the stack.
 *
 * Debian's lwIP has a thread for its timers. All else happens in the loop, which holds the lock of the stack except
 * while it waits. The thread sleeps until the timer that it knew of when it fell asleep; that of TCP is switched on with the
 * first connection, so the loop wakes it then. Else the first delayed ACK could be a second late.
 */
#define _DEFAULT_SOURCE
#include "wire.h"

#include "../../kit/tcpspec.h"

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcpip.h>
#include <netif/ethernet.h>
#include <poll.h>
#include <time.h>

#define MTU 1500
/* What the thread of the timers has done is looked at so often. */
#define LOOK_AGAIN_MS 50

static int wire;
static struct netif interface;

static err_t transmit(struct netif *netif, struct pbuf *p) {
  char packet[MTU + 64];
  u16_t len = pbuf_copy_partial(p, packet, sizeof packet, 0);
  (void)netif;
  tcpspec_send(wire, packet, len);
  return ERR_OK;
}

static err_t transmit_v4(struct netif *netif, struct pbuf *p, const ip4_addr_t *to) {
  (void)to;
  return transmit(netif, p);
}

static err_t transmit_v6(struct netif *netif, struct pbuf *p, const ip6_addr_t *to) {
  (void)to;
  return transmit(netif, p);
}

static err_t start(struct netif *netif) {
  static const unsigned char mac[6] = {0x02, 0, 0, 0, 0, 0x02};
  netif->name[0] = 't';
  netif->name[1] = 's';
  netif->mtu = MTU;
  if (tcpspec_has_frames()) {
    memcpy(netif->hwaddr, mac, sizeof mac);
    netif->hwaddr_len = sizeof mac;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP;
    netif->output = etharp_output;
    netif->output_ip6 = ethip6_output;
    netif->linkoutput = transmit;
  } else {
    netif->flags = NETIF_FLAG_LINK_UP;
    netif->output = transmit_v4;
    netif->output_ip6 = transmit_v6;
  }
  return ERR_OK;
}

/* An address like 10.0.0.2/24 of the environment; false where there is none. */
static int address(const char *name, ip_addr_t *out, int *prefix) {
  char text[64];
  const char *value = getenv(name);
  return value && sscanf(value, "%63[^/]/%d", text, prefix) == 2 && ipaddr_aton(text, out);
}

void wire_up(void) {
  ip_addr_t v4, v6;
  ip4_addr_t mask, none;
  struct timespec now;
  int prefix;
  /* lwIP draws its local ports from rand(). */
  clock_gettime(CLOCK_REALTIME, &now);
  srand((unsigned)now.tv_nsec ^ (unsigned)getpid());
  tcpip_init(NULL, NULL);
  LOCK_TCPIP_CORE();
  if (!address("TCPSPEC_IPV4", &v4, &prefix))
    tcpspec_die("TCPSPEC_IPV4 is not an address and a prefix");
  ip4_addr_set_u32(&mask, htonl(prefix ? 0xffffffffu << (32 - prefix) : 0));
  ip4_addr_set_zero(&none);
  wire = tcpspec_wire();
  netif_add(&interface, ip_2_ip4(&v4), &mask, &none, NULL, start, tcpspec_has_frames() ? ethernet_input : ip_input);
  netif_set_default(&interface);
  if (address("TCPSPEC_IPV6", &v6, &prefix)) {
    /* No other host is on the wire, so no address is a duplicate, and no router has to be asked for. */
    interface.rs_count = 0;
    if (tcpspec_has_frames())
      netif_create_ip6_linklocal_address(&interface, 1);
    netif_ip6_addr_set(&interface, 1, ip_2_ip6(&v6));
    netif_ip6_addr_set_state(&interface, 1, IP6_ADDR_PREFERRED);
  }
  netif_set_up(&interface);
}

void wire_receive(void) {
  char packet[65536];
  ssize_t len;
  while ((len = tcpspec_recv(wire, packet, sizeof packet)) > 0) {
    struct pbuf *p = pbuf_alloc(tcpspec_has_frames() ? PBUF_RAW : PBUF_LINK, (u16_t)len, PBUF_RAM);
    if (p && pbuf_take(p, packet, (u16_t)len) == ERR_OK && interface.input(p, &interface) == ERR_OK)
      continue;
    if (p)
      pbuf_free(p);
  }
}

static void look_at_the_timers(void *nothing) {
  (void)nothing;
}

/* Wakes the thread of the timers where it may not know of that of TCP. */
static void wake(void) {
  static int was_needed;
  int is_needed = tcp_active_pcbs || tcp_tw_pcbs;
  if (is_needed && !was_needed)
    tcpip_try_callback(look_at_the_timers, NULL);
  was_needed = is_needed;
}

void wire_wait(int with_stdin) {
  struct pollfd fds[2] = {{wire, POLLIN, 0}, {0, POLLIN, 0}};
  wake();
  UNLOCK_TCPIP_CORE();
  poll(fds, with_stdin ? 2 : 1, LOOK_AGAIN_MS);
  LOCK_TCPIP_CORE();
  wire_receive();
}
