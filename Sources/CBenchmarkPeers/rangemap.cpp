#include "CBenchmarkPeers.h"

#include <map>

/* Disjoint ranges by their first address, as one would write it with the standard library. */
struct rangemap {
  struct value {
    uint64_t end;
    uint64_t payload;
  };
  std::map<uint64_t, value> ranges;

  /* The first range that ends above an address. */
  std::map<uint64_t, value>::iterator from(uint64_t address) {
    auto next = ranges.upper_bound(address);
    if (next != ranges.begin()) {
      auto before = std::prev(next);
      if (before->second.end > address) return before;
    }
    return next;
  }
};

rangemap *rangemap_create(void) { return new rangemap; }

void rangemap_destroy(rangemap *map) { delete map; }

uint64_t rangemap_insert(rangemap *map, uint64_t start, uint64_t end, uint64_t payload) {
  auto next = map->from(start);
  if (next == map->ranges.end() || next->first >= end) {
    map->ranges.emplace_hint(next, start, rangemap::value{end, payload});
    return 0;
  }
  start = next->first < start ? next->first : start;
  while (next != map->ranges.end() && next->first < end) {
    end = next->second.end > end ? next->second.end : end;
    next = map->ranges.erase(next);
  }
  map->ranges.emplace_hint(next, start, rangemap::value{end, 1});
  return 1;
}

uint64_t rangemap_find(rangemap *map, uint64_t address) {
  auto found = map->from(address);
  return found != map->ranges.end() && found->first <= address ? found->second.payload : 0;
}

uint64_t rangemap_remove(rangemap *map, uint64_t start, uint64_t end) {
  auto found = map->from(start);
  if (found == map->ranges.end() || found->first >= end) return 0;
  uint64_t payload = found->second.payload;
  map->ranges.erase(found);
  return payload;
}
