/* lwIP over the wire of the harness: a network interface, and the loop that drives the stack. */
#ifndef WIRE_H
#define WIRE_H

/* Brings lwIP up on the wire with the addresses that the harness gives. */
void wire_up(void);

/* Waits until a packet, a command or a timer is due, and does what lwIP has to do. `with_stdin`: until lines come, too. */
void wire_wait(int with_stdin);

#endif
