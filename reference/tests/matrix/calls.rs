//! What the application calls and the timeouts of a row are.

use crate::catalogue::Row;
use crate::host::PEER;
use crate::stimulus::{Action, After, Call, Clock, Stimulus, call, on};

const HERE: &str = "10.0.0.2:80";
const NOWHERE: &str = "0.0.0.0:0";

/// The stimuli of a call or a timeout, or `None` if its class is not in this table.
pub(crate) fn stimuli(row: &Row) -> Option<Vec<Stimulus>> {
    match row.state.as_str() {
        "CLOSED" => closed(row),
        "LISTEN" => listen(row),
        _ => connected(row).or_else(|| timeouts(row)),
    }
}

fn open(what: &'static str, local: &'static str, remote: &'static str) -> Stimulus {
    call(what, Call::Open { local, remote })
}

fn closed(row: &Row) -> Option<Vec<Stimulus>> {
    let elsewhere = Action::Call(Call::Open { local: "", remote: "10.0.0.7:1" });
    Some(match row.class.as_str() {
        "OPEN passive" => vec![call("listen", Call::Listen)],
        "OPEN active" => vec![open("connect", HERE, PEER)],
        "OPEN active, no remote" => {
            vec![open("no address", "", "0.0.0.0:7"), open("no port", "", "10.0.0.1:0")]
        }
        // The only thing a process may not use is an address that this host does not have.
        "OPEN, no permission" => vec![open("an address of another host", "10.0.0.77:80", PEER)],
        "OPEN, no room" => {
            vec![open("connect", HERE, PEER).tune(|config| config.max_connections = 1).before(elsewhere)]
        }
        "OPEN active, invalid remote" => vec![
            open("broadcast", "", "255.255.255.255:7"),
            open("multicast", "", "224.1.1.1:7"),
            open("multicast, IPv6", "", "[ff02::1]:7"),
        ],
        "SEND" => vec![call("send", Call::Send(5))],
        "RECEIVE" => vec![call("recv", Call::Receive)],
        "CLOSE" => vec![call("shutdown", Call::Shutdown), call("close", Call::Close)],
        "ABORT" => vec![call("abort", Call::Abort)],
        "STATUS" => vec![call("status", Call::Status)],
        _ => return None,
    })
}

fn listen(row: &Row) -> Option<Vec<Stimulus>> {
    Some(match row.class.as_str() {
        "OPEN passive" => vec![call("listen on the same port", Call::Listen)],
        "OPEN active" => vec![open("connect from the port", HERE, PEER)],
        "OPEN active, no remote" => vec![open("connect to nowhere", HERE, NOWHERE)],
        "CLOSE" | "ABORT" => vec![call("close the listener", Call::CloseListener)],
        _ => return None,
    })
}

fn connected(row: &Row) -> Option<Vec<Stimulus>> {
    let established = matches!(row.state.as_str(), "ESTABLISHED" | "CLOSE-WAIT");
    let early = matches!(row.state.as_str(), "SYN-SENT" | "SYN-RECEIVED");
    Some(match row.class.as_str() {
        "OPEN passive or active" => vec![call("connect with the same sockets", Call::OpenSame)],
        "SEND" if established => vec![
            call("a little", Call::Send(100)),
            call("a segment", Call::Send(1460)),
            call("two segments", Call::Send(2920)),
        ],
        "SEND" if early => {
            vec![call("send", Call::Send(100)).after(After::Flows { octets: 100, fin: false })]
        }
        "SEND" => vec![call("send", Call::Send(100))],
        "SEND urgent" => vec![call("send urgently", Call::SendUrgent(100))],
        "RECEIVE" | "RECEIVE, nothing waiting" => vec![call("recv", Call::Receive)],
        "RECEIVE, data waiting" => vec![call("recv", Call::Receive).unread(100)],
        "CLOSE" if row.state == "SYN-SENT" => vec![
            call("shutdown", Call::Shutdown),
            call("shutdown with a SEND queued", Call::Shutdown).first(Action::Call(Call::Send(9))),
            call("close", Call::Close),
        ],
        "CLOSE" if established => vec![call("shutdown", Call::Shutdown), call("close", Call::Close)],
        "CLOSE, nothing pending" => vec![call("shutdown", Call::Shutdown), call("close", Call::Close)],
        "CLOSE, data pending" if early => vec![
            call("shutdown", Call::Shutdown)
                .before(Action::Call(Call::Send(100)))
                .after(After::Flows { octets: 100, fin: true }),
        ],
        "CLOSE, data pending" => vec![
            call("shutdown", Call::Shutdown).first(Action::Call(Call::Send(100))),
            call("shutdown, two segments", Call::Shutdown).first(Action::Call(Call::Send(2000))),
            call("close", Call::Close).first(Action::Call(Call::Send(2000))),
        ],
        "CLOSE, unread data" => vec![call("close", Call::Close).unread(100)],
        // `close` after `shutdown` is the application's farewell, not a second CLOSE.
        "CLOSE" => vec![call("shutdown again", Call::Shutdown)],
        "ABORT" => {
            let mut all = vec![call("abort", Call::Abort)];
            if established {
                all.push(call("abort with data in flight", Call::Abort).unacked(200).unread(10));
            }
            all
        }
        "STATUS" => vec![call("status", Call::Status)],
        _ => return None,
    })
}

fn timeouts(row: &Row) -> Option<Vec<Stimulus>> {
    let outstanding = |stimulus: Stimulus| match row.state.as_str() {
        "ESTABLISHED" | "CLOSE-WAIT" => vec![stimulus.unacked(200)],
        "FIN-WAIT-1" | "CLOSING" | "LAST-ACK" => vec![stimulus.clone(), stimulus.unacked(200)],
        _ => vec![stimulus],
    };
    Some(match row.class.as_str() {
        "USER TIMEOUT" => outstanding(on("R2", Action::Expire(Clock::User))),
        "RETRANSMISSION TIMEOUT" => outstanding(on("RTO", Action::Expire(Clock::Retransmission))),
        "TIME-WAIT TIMEOUT" => vec![on("2 MSL", Action::Expire(Clock::TimeWait))],
        _ => return None,
    })
}
