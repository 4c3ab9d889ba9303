/**
 * The CUDA backend: kernels of {@code kernels/*.cu} launched through JCuda, matrix products by
 * cuBLAS through JCublas. The only package that knows JCuda.
 */
@NullMarked
package dev.downhill.backend.cuda;

import org.jspecify.annotations.NullMarked;
