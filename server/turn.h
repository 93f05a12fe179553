/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TURN_H
#define TURN_H

/*
 * The inside of a connection, for the files conn*.c only.
 *
 *   conn ----> turn     while it is being served, and after that only if
 *    |          |       something is unfinished: a request that has not all
 *    |          |       arrived, a command that goes on later, unsent output
 *    |          +-- parser, call, input, output
 *    +-- session, event
 *
 * A turn is one piece of service: begin, read, run requests, send, end.  An
 * idle connection has no turn and so no buffers.
 */

#include <event2/event.h>
#include <event2/event_struct.h>

#include "command.h"
#include "conn.h"
#include "output.h"
#include "protocol/parse.h"
#include "worker.h"

struct turn {
    struct parser parser;
    struct call call;
    struct buf in;    /* input that was not dealt with, between turns */
    struct buf wider; /* what it is being moved to: see conn_grow.c */
    struct output out;
    struct buf pushes; /* that must not come in the middle of a reply */

    /* During a turn: the input not yet dealt with, in the worker's buffer
     * (lent) or in `in`. */
    char *at;
    size_t len;
    bool lent;

    bool running;            /* the call was begun and goes on */
    bool batched;            /* its arguments are those of worker->batch */
    bool refused;            /* there is no room for its value: it is not run */
    bool stuck;              /* the kernel takes no more output in this turn */
    bool midway;             /* part of a reply is made: no push before it */
    struct cache_blob *blob; /* the argument being diverted */
    size_t body_left;        /* its bytes that are still to come */
    size_t requests, bytes;  /* dealt with in this turn */
    unsigned parts;          /* it may do as much less: see round.h */
    size_t easy;             /* see conn_output_easy */
};

/*
 * Fields are in the order of the lines of the processor's cache: two have what
 * each request touches, two are the event.  No bits: a load of several that
 * follows the store of one waits for it.
 */
struct conn {
    struct worker *worker;
    struct turn *turn; /* NULL: nothing is unfinished */
    int fd;
    short watched;      /* EV_READ | EV_WRITE: what the event waits for */
    bool serving;       /* a turn is under way */
    bool owed;          /* a reply, which the intake has */
    bool later;         /* in worker->later */
    bool waiting;       /* for conn_resume */
    bool blocked;       /* the peer must read before more is run */
    bool paused;        /* there is no memory to read more */
    bool ended;         /* the peer sends no more */
    bool closing;       /* after what is unsent; input is ignored */
    bool holding;       /* in worker->holders */
    bool refused;       /* closing in the middle of what the peer sends */
    bool lingering;     /* only input is left, which is thrown away */
    bool pushed;        /* in worker->pushed */
    bool doomed;        /* cannot take what was pushed: is closed soon */
    bool crowded;       /* held back, see conn_hold_back */
    bool maker;         /* what it made waits to be pushed */
    bool behind;        /* in worker->behind */
    bool halted;        /* in worker->halted, by later_next */
    uint32_t active_ms; /* worker's clock: bytes came or went */
    uint32_t since_ms;  /* the request under way was begun, or lingering */
    uint32_t sent_ms;   /* output made progress */
    uint32_t born_ms;
    size_t charged; /* to the pool, beside POOL_CONNECTION */
    size_t pinned;  /* as the pool was told */
    struct session session;
    struct conn *next, **link; /* in worker->conns */
    struct conn *id_next;
    struct conn *holder_next, **holder_link;
    size_t discarded; /* bytes, while lingering */
    struct event event;
    struct conn *later_next, **later_link;
    struct conn *pushed_next, **pushed_link;
    struct conn *behind_next, **behind_link;
};
_Static_assert(offsetof(struct conn, session.active_ms) == 128 &&
                   offsetof(struct conn, event) == 256,
               "the lines are others");

/* conn.c: sets what the event waits for by the connection's state. */
void conn_watch(struct conn *conn);
/* Nothing is left to be sent.  A refused one is closed a little later, so that
 * the peer reads why; any other at once. */
void conn_finish(struct conn *conn);

enum fill {
    FILL_SOME, /* there is new input */
    FILL_NONE, /* nothing more came */
    FILL_END,  /* the peer sends no more */
    FILL_DEAD, /* the peer is gone */
    FILL_FULL, /* there is no memory to read more now */
};

/* What was read from a connection that had no turn; see intake.h. */
struct turn_input {
    enum fill got;
    char *at;
    size_t len;
    struct batch *batch; /* which has its first requests, from `first` on */
    size_t first, count;
};

/* conn_body.c: what becomes of the long argument that the parser has met. */
void conn_large(struct conn *conn, const struct parse_limits *limits);
/* Takes the body out of the input; false: more of it is to come. */
bool conn_body(struct conn *conn);
/* Gives up the value: what has come of it goes, the rest is skipped. */
void conn_refuse_body(struct turn *turn);
/* Reads the body to where it will stay, and sets up the input behind it. */
enum fill conn_body_read(struct conn *conn);

/* conn_refuse.c: requests for which there is no memory.  Charges for what a
 * long one holds before it is run; or it is refused. */
void conn_book_request(struct conn *conn);
/* The request that has come in part cannot be kept: it is answered with an
 * error now, and the rest of it skipped.  False: there is no such request. */
bool conn_refuse_unfinished(struct conn *conn);
/* Drops what was skipped so far of a request that was refused. */
void conn_drop_skipped(struct turn *turn);

/* conn_run.c: from here on the worker runs commands, of one connection or of
 * several, and takes their time. */
void worker_enter(struct worker *worker);
void worker_leave(struct worker *worker);
/* Parses and runs what is there, until there is no more, or others must have a
 * turn; enters and leaves if the worker is outside. */
void conn_run(struct conn *conn);
/* The call of the request that the parser has. */
void conn_begin_call(struct conn *conn, const struct arg *argv, size_t argc);
/* What the client may send. */
void conn_limits(const struct conn *conn, struct parse_limits *limits);

/* conn_input.c: as conn_refuse_unfinished, between events; if true, the
 * connection may be gone. */
bool conn_end_unfinished(struct conn *conn);
/* Goes on with input or a call that is there already; the connection may be
 * gone afterwards. */
void conn_go_on(struct conn *conn);
void conn_readable(struct conn *conn);
/* Serves what was read, for the intake: between worker_enter and worker_leave.
 * A reply that is all there is to be done may be left in `reply`, if it has no
 * more than `room` bytes, for conn_send: the result is its length.  0: all was
 * done. */
size_t conn_serve(struct conn *conn, const struct turn_input *input,
                  char *reply, size_t room);
/* What conn_send could not send. */
void conn_send_rest(struct conn *conn, const char *reply, size_t len);
/* Puts it on the list of those that go on after other events. */
void conn_later(struct conn *conn);

/* conn_halt.c: takes it off the list of those that are halted, if it is. */
void conn_leave_halt(struct conn *conn);

/* conn_grow.c: makes room behind the input that was kept.  FILL_NONE: not yet;
 * FILL_FULL: there is no memory. */
enum fill conn_grow(struct conn *conn);
/* It stays where it is. */
void conn_stop_growing(struct conn *conn);

/* conn_output.c: sends what it can; false: the peer is gone. */
bool conn_flush(struct conn *conn);
/* The connection may be gone afterwards: false. */
bool conn_writable(struct conn *conn);
/* Fewer bytes than that, if there are no pinned values, fit: to be found out
 * once a turn. */
size_t conn_output_easy(const struct conn *conn);
bool conn_output_fits_hard(struct conn *conn);

/* After each request.  False: no more is run now, and `blocked` or `closing`
 * says why. */
static inline bool conn_output_fits(struct conn *conn)
{
    const struct output *output = &conn->turn->out;
    bool easy = !output->first && !output->tail.failed &&
                buf_len(&output->tail) < conn->turn->easy &&
                conn->session.authenticated;
    if (!easy)
        return conn_output_fits_hard(conn);
    conn->blocked = false;
    return true;
}

/* conn_push.c: at the end of a turn, what was pushed meanwhile goes behind the
 * replies. */
void conn_take_pushes(struct conn *conn);
void conn_unlist_pushed(struct conn *conn);
/* Takes its memory, and closes it when the event is over. */
void conn_doom(struct conn *conn);

/* conn_behind.c: it has something unsent of what was pushed; it was listed and
 * its output made progress; it is gone. */
void conn_list_behind(struct conn *conn);
void conn_moved(struct conn *conn);
void conn_unlist_behind(struct conn *conn);
/* Bytes; values that are sent from where they lie take no memory. */
size_t conn_unsent(const struct conn *conn);
/* Half of the pool is for what is unsent: dooms some if it is used up. */
void worker_make_room(struct worker *worker);
/* Every 100 ms: dooms those who keep others from it. */
void worker_mind_behind(struct worker *worker);

/* turn.c: NULL without memory. */
struct turn *turn_take(struct worker *worker);
void turn_free(struct turn *turn);
/* After a turn: input that is unfinished is kept where it stays, and what is
 * not needed any more is given back, the turn itself perhaps.  False: there is
 * no memory for the input. */
bool turn_rest(struct conn *conn);
/* Its tail has the worker's memory for replies if it has none and nobody else
 * has it. */
void turn_warm(struct turn *turn, struct worker *worker);
/* A turn for one that is to be pushed to, with memory for replies if there is
 * some; NULL without memory. */
struct turn *turn_borrow(struct conn *conn);

/* conn_memory.c */
/* How much the output may grow, for the commands of this turn. */
void turn_allow(struct conn *conn);
/* After a turn: keeps or returns it, and squares the books with the pool.
 * False: there is no memory for it, the connection must be closed. */
bool turn_put(struct conn *conn);
/* During a turn: charges for all that it holds by now.  False: there is no
 * memory for it. */
bool turn_book(struct conn *conn);
/* Makes sure that `bytes` more may be held; false: not now. */
bool conn_reserve(struct conn *conn, size_t bytes);
/* Reads no more until the pool is less tight. */
void conn_pause(struct conn *conn);
void conn_discharge(struct conn *conn);
/* Closes it for the memory that it holds; or takes that, and closes it when the
 * event is over, where it may be one of those that are just looked at. */
void conn_evict(struct conn *conn);
void conn_evict_soon(struct conn *conn);
/* Takes what is unsent, or the transaction, of one that is not being served. */
void conn_strip(struct conn *conn);
/* Charges for bytes that a push needs, a little above the pool if need be, and
 * then at the cost of clients that hold more; false: it holds most itself. */
bool conn_overdraw(struct conn *conn, size_t bytes);
/* Gets back what was charged above the pool. */
void worker_cover(struct worker *worker);
/* Takes from it what it keeps in the cache from being evicted: values of a
 * transaction, which fails, or else the connection. */
void conn_let_go(struct conn *conn);
/* Borrows from the pool in advance, or gives back; repays all of it. */
void worker_renew_lease(struct worker *worker);
void worker_end_lease(struct worker *worker);
/* Who goes first holds most; CLIENT NO-EVICT puts one behind all others. */
size_t conn_rank(const struct conn *conn, size_t bytes);
/* The first to go of those that have made no progress for a while, or of all;
 * it may have no turn. */
struct conn *worker_first_to_go(const struct worker *worker,
                                uint32_t without_ms);

/* conn_pressure.c, every 100 ms: leases, paused connections, offenders. */
void worker_mind_memory(struct worker *worker);

/* conn_excess.c, at the same time: clients whose values keep the cache above
 * its limit. */
void worker_mind_excess(struct worker *worker);

/* The input that was kept is what the turn goes on with. */
static inline void turn_resume(struct turn *turn)
{
    turn->lent = false;
    turn->at = turn->in.data ? turn->in.data + turn->in.start : NULL;
    turn->len = buf_len(&turn->in);
}

/* worker.c: the wall clock, once for what is served then. */
void worker_read_clock(struct worker *worker);
/* on_later will run soon. */
void worker_wake_later(struct worker *worker);

/* conn_time.c: every 100 ms, looks at a tenth of the connections. */
void worker_mind_time(struct worker *worker);

#endif
