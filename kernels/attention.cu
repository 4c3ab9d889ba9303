// Attention without the matrix of all scores, forward and backward.
// Counterpart: CudaAttention.java; definition: CpuAttention.java.
//
// Tiles of 32 queries by 32 keys. Thread (x, y) of 32 by 8 has column x of rows y, y + 8, y + 16 and
// y + 24 of a tile, so that a row belongs to a warp. Products go over shared tiles of 32 by 32
// elements, computed wide. A block leaves at most 128 columns of its results; where there are more,
// blockIdx.y says which.
//
//   attention          y and z of a tile of queries, over all tiles of keys
//   attention_dots     d = sum(dy y) of each query, a warp for each
//   attention_queries  dq of a tile of queries, over all tiles of keys
//   attention_keys     dk and dv of a tile of keys, over all tiles of queries
//
// Lines say where the sequences of each tensor start; a tensor has a stride from position to
// position, `line`, and one from element to element, `step`. z and d lie side by side.
//
// Launch: 256 threads; a block for each sequence and tile. What is added in which order depends on
// shapes alone, and no two blocks write to one place: the same bits on every run.
//
// types: f32 f64 bf16
#include "lines.cuh"

typedef Wide<T> N;

constexpr int TILE = 32;
constexpr int ROWS = TILE / WARPS;  // of a thread
constexpr int PARTS = 4;            // tiles of columns of a result

// Where the search for the greatest score starts. Not -inf: e^(x - LOWEST) is 0 for x = -inf, which
// e^(x + inf) is not.
constexpr N LOWEST = sizeof(N) == 8 ? N(-1.7976931348623157e308) : N(-3.4028234663852886e38);

struct Greater {
  // Passes over y = NaN; e^(NaN - x) will show it.
  __device__ __forceinline__ N operator()(N x, N y) const { return y > x ? y : x; }
};

// Strides of a tensor.
struct Strides {
  i64 line;
  i64 step;
};

// The positions of one sequence of a tensor, each of n elements.
template <typename S> struct Sequence {
  S* start;
  Strides stride;
  i64 count;
  i64 n;

  __device__ __forceinline__ S* at(i64 position, i64 i) const {
    return start + position * stride.line + i * stride.step;
  }
};

typedef N Tile[TILE][TILE + 1];

// What the threads of a block share: two operands, shares, and slopes.
struct Room {
  Tile a;
  Tile b;
  Tile p;
  Tile ds;
};

struct Me {
  int x = threadIdx.x % TILE;
  int y = threadIdx.x / TILE;

  __device__ __forceinline__ int row(int r) const { return y + r * WARPS; }
};

// Elements `from` on of positions `first` on, and zeros behind.
__device__ __forceinline__ void load(Tile& tile, const Sequence<const T>& x, i64 first, i64 from) {
  Me me;
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    i64 position = first + me.row(r);
    i64 i = from + me.x;
    tile[me.row(r)][me.x] =
        position < x.count && i < x.n ? widen(*x.at(position, i)) : N(0);
  }
}

// s[r] = the product of position first + row(r) of a and position other + x of b.
__device__ __forceinline__ void dots(N (&s)[ROWS], Room& room, const Sequence<const T>& a,
                                     i64 first, const Sequence<const T>& b, i64 other) {
  Me me;
#pragma unroll
  for (int r = 0; r < ROWS; r++) s[r] = 0;
#pragma unroll 1
  for (i64 from = 0; from < a.n; from += TILE) {
    __syncthreads();  // the tiles before have been read
    load(room.a, a, first, from);
    load(room.b, b, other, from);
    __syncthreads();
#pragma unroll 8
    for (int e = 0; e < TILE; e++) {
#pragma unroll
      for (int r = 0; r < ROWS; r++) {
        s[r] = fma(room.a[me.row(r)][e], room.b[me.x][e], s[r]);
      }
    }
  }
}

// sums[r][c] += row(r) of shares times column x of part c of the elements of b, from `first` on.
__device__ __forceinline__ void mix(N (&sums)[ROWS][PARTS], Room& room, const Tile& shares,
                                    const Sequence<const T>& b, i64 first, i64 column) {
  Me me;
#pragma unroll
  for (int c = 0; c < PARTS; c++) {
    if (column + c * TILE >= b.n) break;
    __syncthreads();  // the shares are there, the tile before has been read
    load(room.b, b, first, column + c * TILE);
    __syncthreads();
#pragma unroll 8
    for (int j = 0; j < TILE; j++) {
#pragma unroll
      for (int r = 0; r < ROWS; r++) {
        sums[r][c] = fma(shares[me.row(r)][j], room.b[j][me.x], sums[r][c]);
      }
    }
  }
}

__device__ __forceinline__ void clear(N (&sums)[ROWS][PARTS]) {
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
#pragma unroll
    for (int c = 0; c < PARTS; c++) sums[r][c] = 0;
  }
}

// Writes the columns from `column` on of positions `first` on.
__device__ __forceinline__ void store(const N (&sums)[ROWS][PARTS], const Sequence<T>& y, i64 first,
                                      i64 column) {
  Me me;
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    i64 position = first + me.row(r);
    if (position >= y.count) continue;
#pragma unroll
    for (int c = 0; c < PARTS; c++) {
      i64 i = column + c * TILE + me.x;
      if (i < y.n) *y.at(position, i) = narrow<T>(sums[r][c]);
    }
  }
}

// Which sequence and tile of positions a block has.
struct Block {
  i64 sequence;
  i64 first;
  i64 column;

  __device__ __forceinline__ Block(i64 positions) {
    i64 tiles = (positions + TILE - 1) / TILE;
    sequence = blockIdx.x / tiles;
    first = blockIdx.x % tiles * TILE;
    column = i64(blockIdx.y) * PARTS * TILE;
  }
};

// Lines of q, k, v and y.
ENTRY(attention)(Lines<4> sequences, const T* q, const T* k, const T* v, T* y, N* z, Strides ofQ,
                 Strides ofK, Strides ofV, Strides ofY, i64 queries, i64 keys, i64 size,
                 i64 valueSize, f64 factor, i32 causal) {
  __shared__ Room room;
  Me me;
  Block block(queries);
  i64 s = block.sequence;
  Sequence<const T> query{q + sequences.start(0, s), ofQ, queries, size};
  Sequence<const T> key{k + sequences.start(1, s), ofK, keys, size};
  Sequence<const T> value{v + sequences.start(2, s), ofV, keys, valueSize};
  Sequence<T> result{y + sequences.start(3, s), ofY, queries, valueSize};
  N scale = N(factor);
  N sums[ROWS][PARTS];
  N greatest[ROWS];
  N sum[ROWS];
  clear(sums);
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    greatest[r] = LOWEST;
    sum[r] = 0;
  }
  i64 all = causal ? min(keys, block.first + TILE) : keys;
#pragma unroll 1
  for (i64 first = 0; first < all; first += TILE) {
    N scores[ROWS];
    dots(scores, room, query, block.first, key, first);
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      i64 last = causal ? block.first + me.row(r) : keys;
      bool sees = first + me.x < keys && first + me.x <= last;
      N score = sees ? scores[r] * scale : N(-INFINITY);
      N now = foldLanes(Greater()(greatest[r], score), WARP, Greater());
      N before = exp(greatest[r] - now);
      N share = sees ? exp(score - now) : N(0);
      greatest[r] = now;
      sum[r] = fma(sum[r], before, foldLanes(share, WARP, Plus()));
#pragma unroll
      for (int c = 0; c < PARTS; c++) sums[r][c] *= before;
      room.p[me.row(r)][me.x] = share;
    }
    mix(sums, room, room.p, value, first, block.column);
  }
#pragma unroll
  for (int r = 0; r < ROWS; r++) {
    i64 position = block.first + me.row(r);
#pragma unroll
    for (int c = 0; c < PARTS; c++) sums[r][c] = keys == 0 ? N(0) : sums[r][c] / sum[r];
    if (position < queries && me.x == 0 && blockIdx.y == 0) {
      z[s * queries + position] = keys == 0 ? N(-INFINITY) : greatest[r] + log(sum[r]);
    }
  }
  store(sums, result, block.first, block.column);
}

// Lines of dy and y.
ENTRY(attention_dots)(Lines<2> sequences, const T* dy, const T* y, N* d, Strides ofDy, Strides ofY,
                      i64 queries, i64 valueSize) {
  Place at(sequences.count * queries, WARP);
  i64 s = at.unit / queries;
  i64 position = at.unit % queries;
  Sequence<const T> slope{dy + sequences.start(0, s), ofDy, queries, valueSize};
  Sequence<const T> value{y + sequences.start(1, s), ofY, queries, valueSize};
  N sum = 0;
  for (i64 i = at.lane; at.works && i < valueSize; i += WARP) {
    sum = fma(widen(*slope.at(position, i)), widen(*value.at(position, i)), sum);
  }
  sum = foldLanes(sum, WARP, Plus());
  if (at.works && at.lane == 0) d[at.unit] = sum;
}

// Lines of q, k, v, dy and dq.
ENTRY(attention_queries)(Lines<5> sequences, const T* q, const T* k, const T* v, const T* dy,
                         T* dq, const N* z, const N* d, Strides ofQ, Strides ofK, Strides ofV,
                         Strides ofDy, Strides ofDq, i64 queries, i64 keys, i64 size,
                         i64 valueSize, f64 factor, i32 causal) {
  __shared__ Room room;
  Me me;
  Block block(queries);
  i64 s = block.sequence;
  Sequence<const T> query{q + sequences.start(0, s), ofQ, queries, size};
  Sequence<const T> key{k + sequences.start(1, s), ofK, keys, size};
  Sequence<const T> value{v + sequences.start(2, s), ofV, keys, valueSize};
  Sequence<const T> slope{dy + sequences.start(3, s), ofDy, queries, valueSize};
  Sequence<T> result{dq + sequences.start(4, s), ofDq, queries, size};
  N scale = N(factor);
  N sums[ROWS][PARTS];
  clear(sums);
  i64 all = causal ? min(keys, block.first + TILE) : keys;
#pragma unroll 1
  for (i64 first = 0; first < all; first += TILE) {
    N scores[ROWS];
    N slopes[ROWS];
    dots(scores, room, query, block.first, key, first);
    dots(slopes, room, slope, block.first, value, first);
    __syncwarp();  // the row before has been read
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      i64 position = block.first + me.row(r);
      bool sees = position < queries && first + me.x < keys &&
                  (!causal || first + me.x <= position);
      N ds = 0;
      if (sees) {
        N share = exp(scores[r] * scale - z[s * queries + position]);
        ds = share * (slopes[r] - d[s * queries + position]) * scale;
      }
      room.ds[me.row(r)][me.x] = ds;
    }
    mix(sums, room, room.ds, key, first, block.column);
  }
  store(sums, result, block.first, block.column);
}

// Lines of q, k, v and dy, and of dk and dv. Rows of a tile are keys.
ENTRY(attention_keys)(Lines<4> sequences, Lines<2> results, const T* q, const T* k, const T* v,
                      const T* dy, T* dk, T* dv, const N* z, const N* d, Strides ofQ, Strides ofK,
                      Strides ofV, Strides ofDy, Strides ofDk, Strides ofDv, i64 queries, i64 keys,
                      i64 size, i64 valueSize, f64 factor, i32 causal) {
  __shared__ Room room;
  Me me;
  Block block(keys);
  i64 s = block.sequence;
  Sequence<const T> query{q + sequences.start(0, s), ofQ, queries, size};
  Sequence<const T> key{k + sequences.start(1, s), ofK, keys, size};
  Sequence<const T> value{v + sequences.start(2, s), ofV, keys, valueSize};
  Sequence<const T> slope{dy + sequences.start(3, s), ofDy, queries, valueSize};
  Sequence<T> ofKey{dk + results.start(0, s), ofDk, keys, size};
  Sequence<T> ofValue{dv + results.start(1, s), ofDv, keys, valueSize};
  N scale = N(factor);
  N keySums[ROWS][PARTS];
  N valueSums[ROWS][PARTS];
  clear(keySums);
  clear(valueSums);
#pragma unroll 1
  for (i64 first = causal ? block.first : 0; first < queries; first += TILE) {
    N scores[ROWS];
    N slopes[ROWS];
    dots(scores, room, key, block.first, query, first);
    dots(slopes, room, value, block.first, slope, first);
    i64 position = first + me.x;
    __syncwarp();  // the row before has been read
#pragma unroll
    for (int r = 0; r < ROWS; r++) {
      i64 seen = block.first + me.row(r);
      bool sees = position < queries && seen < keys && (!causal || seen <= position);
      N share = 0;
      N ds = 0;
      if (sees) {
        share = exp(scores[r] * scale - z[s * queries + position]);
        ds = share * (slopes[r] - d[s * queries + position]) * scale;
      }
      room.p[me.row(r)][me.x] = share;
      room.ds[me.row(r)][me.x] = ds;
    }
    mix(valueSums, room, room.p, slope, first, block.column);
    mix(keySums, room, room.ds, query, first, block.column);
  }
  store(keySums, ofKey, block.first, block.column);
  store(valueSums, ofValue, block.first, block.column);
}
