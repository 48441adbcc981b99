/* The C side of tcpspec: the wire, the control protocol, and the pattern of streams.
 *
 * Copy this file beside your program and include it; there is nothing to link. It is C99 with POSIX.
 *
 *     int wire = tcpspec_wire();                         packets (frames on a TAP); a descriptor for poll()
 *     ssize_t n = tcpspec_recv(wire, buffer, size);      -1: there is none now
 *     tcpspec_send(wire, packet, n);
 *
 *     struct tcpspec_command c;                          commands; poll() descriptor 0 for them
 *     while (tcpspec_command(&c))
 *         if (!strcmp(c.word, "listen") && sscanf(c.rest, "%u", &port) == 1) { ...; tcpspec_ok(&c, NULL); }
 *         else tcpspec_unsupported(&c);
 *
 * What is meant for people goes to stderr.
 */
#ifndef TCPSPEC_H
#define TCPSPEC_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#endif

#if defined __GNUC__
#define TCPSPEC_API static __attribute__((unused))
#define TCPSPEC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TCPSPEC_API static
#define TCPSPEC_PRINTF(text, first)
#endif

/* -- the pattern of streams ------------------------------------------------------------------------------------- */

/* Octet `offset` of every stream, counted from 0. */
TCPSPEC_API unsigned char tcpspec_octet(uint64_t offset) {
  return (unsigned char)(offset % 251 + 7 * (offset / 251));
}

/* `count` octets of the pattern from `offset` on. */
TCPSPEC_API void tcpspec_octets(uint64_t offset, void *out, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    ((unsigned char *)out)[i] = tcpspec_octet(offset + i);
}

/* The stream offset of the first octet of `data` that is not the pattern's, or -1. */
TCPSPEC_API int64_t tcpspec_mismatch(uint64_t offset, const void *data, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (((const unsigned char *)data)[i] != tcpspec_octet(offset + i))
      return (int64_t)(offset + i);
  return -1;
}

/* -- the wire --------------------------------------------------------------------------------------------------- */

/* Ends the program, with the reason. */
TCPSPEC_API void tcpspec_die(const char *what) {
  fprintf(stderr, "tcpspec.h: %s%s%s\n", what, errno ? ": " : "", errno ? strerror(errno) : "");
  exit(1);
}

/* Room for the packets of a burst, as much as the system gives: what finds none is lost, and its sender hears nothing. */
TCPSPEC_API void tcpspec_make_room(int fd) {
  int octets = 4 << 20;
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
#ifdef SO_RCVBUFFORCE
  (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets);
#endif
}

TCPSPEC_API int tcpspec_udp(const char *where) {
  struct sockaddr_in to;
  unsigned a, b, c, d, port;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&to, 0, sizeof to);
  if (sscanf(where, "%u.%u.%u.%u:%u", &a, &b, &c, &d, &port) != 5)
    tcpspec_die("TCPSPEC_UDP is not an address and a port");
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(a << 24 | b << 16 | c << 8 | d);
  to.sin_port = htons((uint16_t)port);
  tcpspec_make_room(fd);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) || send(fd, "", 0, 0))
    tcpspec_die("cannot reach TCPSPEC_UDP");
  return fd;
}

/* A descriptor for a device: of `kind` tap or veth with frames, of kind tun with packets; the headers of TAP and TUN
 * that would stand before each are left out. */
TCPSPEC_API int tcpspec_device(const char *name, const char *kind) {
#ifdef __linux__
  /* A `struct ifreq`, whose header does not go well with other network headers. */
  union { struct { char name[16]; union { short flags; int index; } is; } set; char whole[64]; } request;
  int fd;
  memset(&request, 0, sizeof request);
  strncpy(request.set.name, name, sizeof request.set.name - 1);
  if (!strcmp(kind, "veth")) {
    struct sockaddr_ll at;
    int yes = 1;
    fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    if (fd < 0 || ioctl(fd, SIOCGIFINDEX, &request) < 0)
      tcpspec_die("cannot open a packet socket on the device");
    memset(&at, 0, sizeof at);
    at.sll_family = AF_PACKET;
    at.sll_protocol = htons(ETH_P_ALL);
    at.sll_ifindex = request.set.is.index;
    /* What this program sends itself is not for it. */
    if (bind(fd, (struct sockaddr *)&at, sizeof at) || setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes))
      tcpspec_die("cannot bind a packet socket to the device");
    tcpspec_make_room(fd);
    return fd;
  }
  fd = open("/dev/net/tun", O_RDWR);
  request.set.is.flags = (short)((strcmp(kind, "tap") ? IFF_TUN : IFF_TAP) | IFF_NO_PI);
  if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
    tcpspec_die("cannot open the device");
  return fd;
#else
  (void)name, (void)kind;
  errno = 0;
  tcpspec_die("devices are for Linux; use the link `fd` or `udp`");
  return -1;
#endif
}

/* True where the wire carries Ethernet frames, false where it carries IP packets. */
TCPSPEC_API int tcpspec_has_frames(void) {
  const char *link = getenv("TCPSPEC_LINK");
  return link && (!strcmp(link, "tap") || !strcmp(link, "veth"));
}

/* The wire that the harness has made, as a descriptor that does not block. */
TCPSPEC_API int tcpspec_wire(void) {
  const char *inherited = getenv("TCPSPEC_FD"), *udp = getenv("TCPSPEC_UDP"), *device = getenv("TCPSPEC_DEVICE");
  int fd;
  errno = 0;
  if (inherited)
    fd = atoi(inherited);
  else if (udp)
    fd = tcpspec_udp(udp);
  else if (device)
    fd = tcpspec_device(device, getenv("TCPSPEC_LINK") ? getenv("TCPSPEC_LINK") : "tun");
  else
    tcpspec_die("none of TCPSPEC_FD, TCPSPEC_UDP and TCPSPEC_DEVICE is set: start me by `tcpspec run -t MANIFEST`");
  if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) < 0)
    tcpspec_die("the wire is not open");
  return fd;
}

/* The next packet; -1 where there is none now. Ends the program with the wire. */
TCPSPEC_API ssize_t tcpspec_recv(int wire, void *buffer, size_t size) {
  ssize_t n = read(wire, buffer, size);
  if (n == 0 && getenv("TCPSPEC_FD"))
    exit(0);
  return n > 0 ? n : -1;
}

/* Sends a packet. On a full queue it is lost, as in a cable. */
TCPSPEC_API void tcpspec_send(int wire, const void *packet, size_t len) {
  ssize_t lost = write(wire, packet, len);
  (void)lost;
}

/* -- the control protocol --------------------------------------------------------------------------------------- */

struct tcpspec_command {
  unsigned number;
  char word[32];  /* listen, connect, send ... */
  char rest[256]; /* its arguments, for sscanf */
};

/* The next command that has come; 0 where there is none now. Ends the program with its stdin. */
TCPSPEC_API int tcpspec_command(struct tcpspec_command *command) {
  static char waiting[4096];
  static size_t len;
  for (;;) {
    char *end = memchr(waiting, '\n', len);
    ssize_t n;
    if (end) {
      size_t used = (size_t)(end + 1 - waiting);
      int words;
      *end = 0;
      command->rest[0] = 0;
      words = sscanf(waiting, "%u %31s %255[^\n]", &command->number, command->word, command->rest);
      memmove(waiting, waiting + used, len -= used);
      if (words >= 2)
        return 1;
      continue;
    }
    if (len == sizeof waiting)
      len = 0; /* no command is as long as that */
    fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
    n = read(0, waiting + len, sizeof waiting - len);
    if (n == 0)
      exit(0);
    if (n < 0)
      return 0;
    len += (size_t)n;
  }
}

TCPSPEC_API void tcpspec_line(const char *first, const char *format, va_list words) {
  fputs(first, stdout);
  if (format) {
    putchar(' ');
    vprintf(format, words);
  }
  putchar('\n');
  fflush(stdout);
}

/* `N ok`, and more words: tcpspec_ok(&c, "%u", conn). */
TCPSPEC_PRINTF(2, 3) TCPSPEC_API void tcpspec_ok(const struct tcpspec_command *command, const char *format, ...) {
  char first[32];
  va_list words;
  snprintf(first, sizeof first, "%u ok", command->number);
  va_start(words, format);
  tcpspec_line(first, format, words);
  va_end(words);
}

/* The call failed, in a few words. */
TCPSPEC_PRINTF(2, 3) TCPSPEC_API void tcpspec_error(const struct tcpspec_command *command, const char *format, ...) {
  char first[32];
  va_list words;
  snprintf(first, sizeof first, "%u error", command->number);
  va_start(words, format);
  tcpspec_line(first, format, words);
  va_end(words);
}

/* The stack, or this program, cannot do that at all. */
TCPSPEC_API void tcpspec_unsupported(const struct tcpspec_command *command) {
  printf("%u unsupported\n", command->number);
  fflush(stdout);
}

/* The octets of a `recv` are not the pattern's from this stream offset on. */
TCPSPEC_API void tcpspec_mismatched(const struct tcpspec_command *command, int64_t offset) {
  printf("%u mismatch %lld\n", command->number, (long long)offset);
  fflush(stdout);
}

/* A listener's handshake is complete. */
TCPSPEC_API void tcpspec_accepted(unsigned conn, const char *address, unsigned port) {
  printf("* accepted %u %s %u\n", conn, address, port);
  fflush(stdout);
}

/* connected, refused, reset, timed-out, eof, closed, urgent */
TCPSPEC_API void tcpspec_event(const char *event, unsigned conn) {
  printf("* %s %u\n", event, conn);
  fflush(stdout);
}

#endif
