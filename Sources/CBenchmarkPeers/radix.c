#include "CBenchmarkPeers.h"

#include <malloc.h>
#include <stdlib.h>

/* A table counts its entries, so that an empty one can be freed. */
struct radix {
  uint64_t entry[512];
  unsigned count;
};

static unsigned digit(uint64_t address, int level) {
  return address >> (12 + 9 * (3 - level)) & 511;
}

struct radix *radix_create(void) { return calloc(1, sizeof(struct radix)); }

static void destroy(struct radix *table, int level) {
  if (level < 3)
    for (int i = 0; i < 512; i++)
      if (table->entry[i]) destroy((struct radix *)(uintptr_t)table->entry[i], level + 1);
  free(table);
}

void radix_destroy(struct radix *table) { destroy(table, 0); }

uint64_t radix_map(struct radix *table, uint64_t address, uint64_t leaf) {
  for (int level = 0; level < 3; level++) {
    uint64_t *entry = &table->entry[digit(address, level)];
    if (!*entry) {
      *entry = (uintptr_t)radix_create();
      table->count++;
    }
    table = (struct radix *)(uintptr_t)*entry;
  }
  uint64_t *entry = &table->entry[digit(address, 3)];
  uint64_t old = *entry;
  if (!old) table->count++;
  *entry = leaf;
  return old;
}

uint64_t radix_walk(const struct radix *table, uint64_t address) {
  for (int level = 0; level < 3; level++) {
    uint64_t entry = table->entry[digit(address, level)];
    if (!entry) return 0;
    table = (const struct radix *)(uintptr_t)entry;
  }
  return table->entry[digit(address, 3)];
}

uint64_t radix_unmap(struct radix *table, uint64_t address) {
  struct radix *path[4] = {table};
  for (int level = 0; level < 3; level++) {
    uint64_t entry = path[level]->entry[digit(address, level)];
    if (!entry) return 0;
    path[level + 1] = (struct radix *)(uintptr_t)entry;
  }
  uint64_t old = path[3]->entry[digit(address, 3)];
  if (!old) return 0;
  path[3]->entry[digit(address, 3)] = 0;
  path[3]->count--;
  for (int level = 3; level > 0 && path[level]->count == 0; level--) {
    free(path[level]);
    path[level - 1]->entry[digit(address, level - 1)] = 0;
    path[level - 1]->count--;
  }
  return old;
}

void release_free_memory(void) { malloc_trim(0); }

uint64_t allocated_bytes(void) {
  struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}
