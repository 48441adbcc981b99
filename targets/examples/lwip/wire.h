/* lwIP over the wire of the harness: a network interface, and the loop that feeds the stack. */
#ifndef WIRE_H
#define WIRE_H

/* Brings lwIP up on the wire with the addresses that the harness gives. From then on the caller holds its lock. */
void wire_up(void);

/* Waits until packets come, for a moment at most, and gives them to lwIP. `with_stdin`: until lines come, too. */
void wire_wait(int with_stdin);

/* Gives the packets that have come to lwIP. */
void wire_receive(void);

#endif
