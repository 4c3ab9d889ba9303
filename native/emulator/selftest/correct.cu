// Kernels without a defect, of which the test double must report nothing: the counterparts of
// broken.cu and patterns that a careless checker takes for races.
#include "common.cuh"

#define CORRECT(name) extern "C" __global__ void correct_##name(f32* out, const f32* in, i32 n)
#define I i32(blockIdx.x * blockDim.x + threadIdx.x)

CORRECT(copy) {
  if (I < n) out[I] = in[I];
}

CORRECT(stride) {
  for (i32 i = I; i < n; i += i32(gridDim.x * blockDim.x)) out[i] = in[i];
}

CORRECT(shared) {
  __shared__ f32 tile[256];
  tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[255 - threadIdx.x];
}

CORRECT(dynamic) {
  DH_SHARED_DYNAMIC(f32, tile);
  tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[255 - threadIdx.x];
}

CORRECT(vectors) {
  if (I * 4 + 3 < n) {
    float4 v = reinterpret_cast<const float4*>(in)[I];
    reinterpret_cast<float4*>(out)[I] = make_float4(v.w, v.z, v.y, v.x);
  }
}

CORRECT(reduction) {
  __shared__ f32 sum[256];
  sum[threadIdx.x] = I < n ? in[I] : 0;
  __syncthreads();
  for (i32 half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) sum[threadIdx.x] += sum[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = sum[0];
}

CORRECT(reuse) {
  __shared__ f32 tile[256];
  f32 sum = 0;
  for (i32 k = 0; k < 3; k++) {
    tile[threadIdx.x] = in[(I + k) % n];
    __syncthreads();
    sum += tile[(threadIdx.x + 41) % 256];
    __syncthreads();
  }
  if (I < n) out[I] = sum;
}

CORRECT(warp_shared) {
  __shared__ f32 sum[256];
  i32 lane = threadIdx.x % 32;
  sum[threadIdx.x] = I < n ? in[I] : 0;
  __syncwarp();
  for (i32 half = 16; half > 0; half /= 2) {
    f32 other = lane < half ? sum[threadIdx.x + half] : 0;
    __syncwarp();
    sum[threadIdx.x] += other;
    __syncwarp();
  }
  if (lane == 0) out[I / 32] = sum[threadIdx.x];
}

// All lanes read, meet, then one writes.
CORRECT(warp_broadcast) {
  __shared__ f32 value[8];
  i32 warp = threadIdx.x / 32;
  if (threadIdx.x % 32 == 0) value[warp] = in[I % n];
  __syncwarp();
  f32 mine = value[warp];
  __syncwarp();
  if (threadIdx.x % 32 == 31) value[warp] = mine + 1;
  __syncwarp();
  if (I < n) out[I] = value[warp] + mine;
}

// Halves of a warp meet apart from each other.
CORRECT(half_warps) {
  __shared__ f32 tile[256];
  u32 mask = threadIdx.x % 32 < 16 ? 0xffffu : 0xffff0000u;
  for (i32 k = 0; k < 4; k++) {
    tile[threadIdx.x] = in[(I + k) % n];
    __syncwarp(mask);
    f32 x = tile[threadIdx.x ^ 5] + __shfl_xor_sync(mask, f32(k), 3, 16);
    __syncwarp(mask);
    if (I < n) out[I] = x;
  }
}

CORRECT(softmax) {
  __shared__ f32 part[8];
  f32 x = I < n ? in[I] : -INFINITY;
  f32 most = x;
  for (i32 d = 16; d > 0; d /= 2) most = max(most, __shfl_xor_sync(0xffffffffu, most, d));
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = most;
  __syncthreads();
  for (i32 w = 0; w < 8; w++) most = max(most, part[w]);
  __syncthreads();
  f32 e = exp(x - most);
  f32 sum = e;
  for (i32 d = 16; d > 0; d /= 2) sum += __shfl_xor_sync(0xffffffffu, sum, d);
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = sum;
  __syncthreads();
  sum = 0;
  for (i32 w = 0; w < 8; w++) sum += part[w];
  if (I < n) out[I] = e / sum;
}

CORRECT(votes) {
  f32 x = in[I % n];
  u32 positive = __ballot_sync(0xffffffffu, x > 0);
  int any = __any_sync(0xffffffffu, x > 1e30f);
  int all = __all_sync(0xffffffffu, x > -1e30f);
  int whole = __syncthreads_count(I < n) + __syncthreads_or(I == 0) + __syncthreads_and(1);
  if (I < n) out[I] = f32(__popc(positive) + any + all + whole);
}

// Lanes that have returned are left out of votes.
CORRECT(vote_of_the_rest) {
  if (threadIdx.x % 32 >= 20) return;
  u32 rest = __ballot_sync(0x000fffffu, 1);
  __syncwarp(0x000fffffu);
  if (I < n) out[I] = in[I] + f32(rest);
}

CORRECT(histogram) {
  __shared__ i32 bins[16];
  if (threadIdx.x < 16) bins[threadIdx.x] = 0;
  __syncthreads();
  if (I < n) atomicAdd(&bins[I * 7 % 16], 1);
  __syncthreads();
  i32* total = reinterpret_cast<i32*>(out);
  if (threadIdx.x < 16) atomicAdd(&total[threadIdx.x], bins[threadIdx.x]);
}

// Neighbouring threads and blocks write the bytes, and halves, of one word.
CORRECT(bytes) {
  u8* bytes = reinterpret_cast<u8*>(out) + 1;
  if (I < n) bytes[I] = u8(in[I]);
  __syncthreads();
  if (I < n) bytes[I] += 1;
}

CORRECT(halves) {
  bf16* halves = reinterpret_cast<bf16*>(out) + 1;
  __shared__ bf16 tile[256];
  if (I < n) halves[I] = narrow<bf16>(in[I]);
  tile[threadIdx.x] = narrow<bf16>(f32(threadIdx.x));
  __syncthreads();
  f32 x = widen(tile[threadIdx.x ^ 1]);
  __syncwarp();
  if (I < n) halves[I] = narrow<bf16>(widen(halves[I]) + x);
}

// Every lane reads its own half of a word that its neighbour writes: no byte in common.
CORRECT(halves_in_turn) {
  bf16* halves = reinterpret_cast<bf16*>(out);
  if (I < n) halves[I] = narrow<bf16>(in[I]);
  f32 x = 0;
  for (i32 k = 0; k < 3; k++) {
    if (I < n) x += widen(halves[I]);
    x += __shfl_sync(0xffffffffu, x, 0) * 0;
    if (I < n) halves[I] = narrow<bf16>(x);
  }
}

CORRECT(last_block) {
  __shared__ bool last;
  i32* counter = reinterpret_cast<i32*>(out + n - 1);
  if (threadIdx.x == 0) {
    out[1 + blockIdx.x] = in[I];
    __threadfence();
    last = atomicAdd(counter, 1) == i32(gridDim.x) - 1;
  }
  __syncthreads();
  if (last) {
    if (threadIdx.x == 0) {
      f32 sum = 0;
      for (i32 b = 0; b < gridDim.x; b++) sum += out[1 + b];
      out[0] = sum;
      *counter = 0;
    }
  }
}

// All threads write and fence, then one counts.
CORRECT(last_block_of_many) {
  __shared__ bool last;
  u32* counter = reinterpret_cast<u32*>(out + n - 1);
  if (I < n - 1) out[I] = in[I];
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) last = atomicInc(counter, gridDim.x - 1) == gridDim.x - 1;
  __syncthreads();
  if (last) {
    __threadfence();
    for (i32 i = threadIdx.x; i < n - 1; i += 256) out[i] *= 2;
  }
}

CORRECT(fault) {
  Fault* fault = reinterpret_cast<Fault*>(out);
  if (I < n && I % 3 == 1) report(fault, 3, I, n, I);
}

__device__ const f32 TABLE[8] = {1, 2, 3, 4, 5, 6, 7, 8};

CORRECT(table) {
  f32 local[8];
  for (i32 k = 0; k < 8; k++) local[(k + I) % 8] = TABLE[k];
  if (I < n) out[I] = local[I % 8] + TABLE[(I + n) % 8] * in[I];
}

CORRECT(math) {
  f32 x = I < n ? in[I] : 0.5f;
  f64 d = x;
  f32 a = fma(x, x, 1.0f) + exp(-x) + log1p(x * x) + tanh(x) + erf(x) + rsqrt(1 + x * x) +
          pow(fabs(x), 0.5f) + max(x, 0.0f) + min(x, 1.0f) + erfinv(0.5f) + normcdf(x);
  f64 b = fma(d, d, 1.0) + exp(-d) + log1p(d * d) + tanh(d) + erf(d) + rsqrt(1 + d * d) +
          pow(fabs(d), 0.5) + max(d, 0.0) + min(d, 1.0) + erfinv(0.5) + normcdf(d);
  static_assert(sizeof(exp(x)) == 4 && sizeof(max(x, 0.0f)) == 4 && sizeof(pow(x, x)) == 4);
  if (I < n) out[I] = fabs(f64(a) - b) < 1e-4 ? x : NAN;
}

// The matrix of 32 x 32 tiles transposed: blocks of 32 x 8 threads.
CORRECT(transpose) {
  __shared__ f32 tile[32][33];
  i32 size = i32(gridDim.x) * 32;
  i32 x = blockIdx.x * 32 + threadIdx.x;
  i32 y = blockIdx.y * 32 + threadIdx.y;
  for (i32 k = 0; k < 32; k += 8)
    tile[threadIdx.y + k][threadIdx.x] = (y + k) * size + x < n ? in[(y + k) * size + x] : 0;
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x;
  y = blockIdx.x * 32 + threadIdx.y;
  for (i32 k = 0; k < 32; k += 8)
    if ((y + k) * size + x < n) out[(y + k) * size + x] = tile[threadIdx.x][threadIdx.y + k];
}

extern "C" __global__ void correct_walk(Walk<2> walk, f32* out, const f32* in) {
  if (I < walk.numel) out[I / walk.size[1] * walk.stride[0][0] + I % walk.size[1]] = in[I];
}

#undef I
