/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LONG_H
#define LONG_H

/*
 * Long values, and the ends of long keys, lie in chains of pieces:
 *
 *   entry: ext.pieces --> small? --> medium x 0..7 --> full x n
 *          value (its last bytes)
 *
 *   piece | next 4 | prev 4 | len 4 | pins 4 | shard 1 | state 1 | first 1 |
 *         | kind 1 | later 4 | bytes ... |
 *
 * A full piece has a slab of its own and never needs to move; the others can
 * be moved while the chain is attached to an entry and nobody has pinned it.
 * prev of the first piece is the entry's location.  Pins are counted in the
 * first piece.  A chain that loses its entry while it is pinned is freed when
 * the last pin goes.
 */

#include "core.h"

enum { PIECE_LATER = 3 };

enum piece_state { PIECE_PRIVATE, PIECE_ATTACHED, PIECE_ORPHAN };

struct piece {
    uint32_t next, prev;
    uint32_t len; /* bytes in it */
    uint32_t pins;
    uint8_t shard, state, first, kind; /* kind: enum size_piece */
    /* To look ahead: the piece PIECE_LATER further on when the value was
     * stored, which may have moved since; 0: there is none. */
    uint32_t later;
    char bytes[];
};

/* The shard whose lock guards it.  It changes with the locks of both held. */
static inline unsigned piece_shard(const struct piece *piece)
{
    return __atomic_load_n(&piece->shard, __ATOMIC_RELAXED);
}

static inline struct piece *piece_at(const struct cache *cache, uint32_t loc)
{
    return slabs_at(&cache->slabs, loc);
}

static inline size_t piece_room(const struct cache *cache, enum size_piece kind)
{
    unsigned class = sizes_of_piece(&cache->slabs.sizes, kind);
    return cache->slabs.sizes.classes[class].cell - sizeof(struct piece);
}

/* How a value of that many bytes is cut. */
struct long_plan {
    size_t full;
    unsigned medium, small;
    size_t here; /* bytes in the entry's cell */
};
struct long_plan long_plan(const struct cache *cache, size_t len);

/* Makes a chain belong to an entry (shard locked), perhaps after another one,
 * or ends that: it is freed now or with its last pin. */
void long_attach(struct cache *cache, struct shard *shard, uint32_t entry,
                 uint32_t first);
void long_detach(struct cache *cache, uint32_t first);
/* An entry has moved: its chains and its new slab know it. */
void long_moved(struct cache *cache, uint32_t to);
/* An entry goes: its chains are detached. */
void long_drop(struct cache *cache, struct entry *entry);
/* Bytes of the cells of a chain. */
size_t long_resident(const struct cache *cache, uint32_t first);

/*
 * Moves one piece of the shard that is locked to another cell of its class;
 * false if it may not move or there is none.
 */
bool long_move(struct cache *cache, struct shard *shard, uint32_t loc);
/*
 * Moves one piece for whom alone it is in use, if its slab is stuck, and
 * returns where it is then.  With the shard locked unless the piece is private.
 */
uint32_t long_settle(struct cache *cache, uint32_t loc);

/* -------------------------------------------------------------- long keys */

/* The key as a cell has it, in `here` (ENTRY_KEY_HERE bytes). */
void long_key_here(const struct cache *cache, const char *key, size_t len,
                   char *here);
/* The whole key against an entry with ext. */
bool long_key_is(const struct cache *cache, const struct entry *entry,
                 const struct cache_key *key);
/* The class of the piece for a long key's end. */
unsigned long_key_class(const struct cache *cache, size_t key_len);
/* A private piece with a long key's end; 0 with the class in *wanted. */
uint32_t long_key_end(struct cache *cache, const struct cache_key *key,
                      struct cache_spares *spares, uint32_t *wanted);

#endif
