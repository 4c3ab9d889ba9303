// Kernels with one defect each, which the test double must report, next to the same kernel without
// it (correct.cu). All take (out, in, n); 256 threads a block, n below the number of threads.
#include "common.cuh"

#define BROKEN(name) extern "C" __global__ void broken_##name(f32* out, const f32* in, i32 n)
#define I i32(blockIdx.x * blockDim.x + threadIdx.x)

BROKEN(read_beyond) {
  if (I < n) out[I] = in[I + 1];
}

BROKEN(read_far) {
  if (I < n) out[I] = in[I + 100000];
}

BROKEN(write_beyond) {
  if (I <= n) out[I] = in[min(I, n - 1)];
}

BROKEN(write_before) {
  if (I < n) out[I - 1] = in[I];
}

BROKEN(write_far) {
  if (I < n) out[I - 100000] = in[I];
}

BROKEN(uninitialised_device) {
  if (I < n) out[I] = out[I] + in[I];
}

BROKEN(uninitialised_shared) {
  __shared__ f32 tile[256];
  if (threadIdx.x != 7) tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[255 - threadIdx.x];
}

BROKEN(uninitialised_dynamic) {
  DH_SHARED_DYNAMIC(f32, tile);
  if (threadIdx.x != 7) tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[255 - threadIdx.x];
}

// What a block left in shared memory must not reach the next one.
BROKEN(shared_of_another_block) {
  __shared__ f32 first;
  if (blockIdx.x == 0 && threadIdx.x == 0) first = 1;
  __syncthreads();
  if (I < n) out[I] = in[I] + first;
}

BROKEN(shared_index) {
  __shared__ f32 tile[256];
  tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[threadIdx.x + 1];
}

BROKEN(dynamic_index) {
  DH_SHARED_DYNAMIC(f32, tile);
  tile[threadIdx.x] = in[I % n];
  __syncthreads();
  if (I < n) out[I] = tile[threadIdx.x + 1];
}

BROKEN(local_index) {
  f32 last[4] = {0, 0, 0, 0};
  for (i32 k = 0; k <= n % 7; k++) last[k] = in[k];
  if (I < n) out[I] = last[0] + last[3];
}

BROKEN(misaligned) {
  if (I * 4 + 5 < n) {
    float4 v = *reinterpret_cast<const float4*>(in + I * 4 + 1);
    out[I] = v.x + v.y + v.z + v.w;
  }
}

BROKEN(missing_barrier) {
  __shared__ f32 sum[256];
  sum[threadIdx.x] = I < n ? in[I] : 0;
  for (i32 half = 128; half > 0; half /= 2) {
    if (threadIdx.x < half) sum[threadIdx.x] += sum[threadIdx.x + half];
    __syncthreads();
  }
  if (threadIdx.x == 0) out[blockIdx.x] = sum[0];
}

// A tile is filled again before everybody has read it.
BROKEN(missing_barrier_before_reuse) {
  __shared__ f32 tile[256];
  f32 sum = 0;
  for (i32 k = 0; k < 3; k++) {
    tile[threadIdx.x] = in[(I + k) % n];
    __syncthreads();
    sum += tile[(threadIdx.x + 41) % 256];
  }
  if (I < n) out[I] = sum;
}

BROKEN(missing_syncwarp) {
  __shared__ f32 sum[256];
  i32 lane = threadIdx.x % 32;
  sum[threadIdx.x] = I < n ? in[I] : 0;
  __syncwarp();
  for (i32 half = 16; half > 0; half /= 2) {
    f32 other = lane < half ? sum[threadIdx.x + half] : 0;
    sum[threadIdx.x] += other;
  }
  if (lane == 0) out[I / 32] = sum[threadIdx.x];
}

// A shuffle is no fence.
BROKEN(shuffle_as_fence) {
  __shared__ f32 tile[256];
  tile[threadIdx.x] = in[I % n];
  i32 source = __shfl_xor_sync(0xffffffffu, i32(threadIdx.x), 1);
  if (I < n) out[I] = tile[source];
}

BROKEN(blocks_write) {
  if (I < n) out[threadIdx.x] = in[I];
}

// Works in place and reads what the neighbouring block writes.
BROKEN(blocks_read) {
  if (I + 1 < n) out[I] = in[I] + (threadIdx.x == 255 ? 2 * out[I + 1] : 0);
}

BROKEN(count_without_atomic) {
  if (I < n && in[I] > 0) out[0] += 1;
}

BROKEN(bytes_write) {
  u8* bytes = reinterpret_cast<u8*>(out);
  if (I < n) bytes[I / 2] = u8(in[I]);
}

// The last block adds what the others wrote, without a fence between writing and counting.
BROKEN(last_block) {
  __shared__ bool last;
  i32* counter = reinterpret_cast<i32*>(out + n - 1);
  if (threadIdx.x == 0) {
    out[1 + blockIdx.x] = in[I];
    last = atomicAdd(counter, 1) == i32(gridDim.x) - 1;
  }
  __syncthreads();
  if (last && threadIdx.x == 0) {
    f32 sum = 0;
    for (i32 b = 0; b < gridDim.x; b++) sum += out[1 + b];
    out[0] = sum;
  }
}

BROKEN(barrier_diverges) {
  __shared__ f32 tile[256];
  tile[threadIdx.x] = in[I % n];
  if (threadIdx.x < 128) __syncthreads();
  if (I < n) out[I] = tile[threadIdx.x];
}

BROKEN(barrier_after_return) {
  __shared__ f32 tile[256];
  if (I >= n) return;
  tile[threadIdx.x] = in[I];
  __syncthreads();
  out[I] = tile[threadIdx.x];
}

BROKEN(barrier_in_two_branches) {
  __shared__ f32 tile[256];
  tile[threadIdx.x] = in[I % n];
  if (threadIdx.x < 128) {
    __syncthreads();
  } else {
    __syncthreads();
    tile[threadIdx.x] = 0;
  }
  if (I < n) out[I] = tile[threadIdx.x];
}

BROKEN(barrier_and_warp) {
  if (threadIdx.x % 32 < 16) {
    __syncthreads();
  } else {
    __syncwarp();
  }
  if (I < n) out[I] = in[I];
}

BROKEN(shuffle_returned) {
  if (threadIdx.x % 32 >= 20) return;
  f32 x = in[I % n];
  out[I % n] = x + __shfl_down_sync(0xffffffffu, x, 1);
}

BROKEN(shuffle_without_self) {
  f32 x = in[I % n];
  x += __shfl_xor_sync(0x0000ffffu, x, 1);
  if (I < n) out[I] = x;
}

BROKEN(vote_meets_shuffle) {
  f32 x = in[I % n];
  if (threadIdx.x % 2) {
    x = __shfl_sync(0xffffffffu, x, 0);
  } else {
    x = __ballot_sync(0xffffffffu, x > 0);
  }
  if (I < n) out[I] = x;
}

BROKEN(spin) {
  const volatile f32* flag = in;
  if (threadIdx.x == 3) {
    while (*flag != -12345.0f) {
    }
  }
  if (I < n) out[I] = in[I];
}

BROKEN(division) {
  if (I < n) out[I] = 7 / (i32(blockDim.x) - 256);
}

BROKEN(null) {
  const f32* nowhere = reinterpret_cast<const f32*>(u64(n) * 4 - 4000);
  if (I < n) out[I] = nowhere[1];
}

BROKEN(deep_stack) {
  volatile f32 big[20000];
  for (i32 k = 0; k < 20000; k += 100) big[k] = in[k % n];
  if (I < n) out[I] = big[I % 200 * 100];
}

BROKEN(trap) {
  if (I == 5) __trap();
  if (I < n) out[I] = in[I];
}

// Pointers inside a struct are not seen at the launch.
struct Views {
  f32* out;
  const f32* in;
};
extern "C" __global__ void broken_struct(Views views, i32 n) {
  if (I < n) views.out[I] = views.in[I];
}
