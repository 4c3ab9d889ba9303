/**
 * Tensors and their operators. {@link dev.downhill.tensor.Tensor} is the facade; each family of
 * operators has its forward computation and its gradient side by side in a class of its own.
 *
 * <h2>Numbers that are not finite</h2>
 *
 * <p>Operators never refuse infinities and NaN; they compute with them as IEEE 754 and PyTorch do,
 * alike on every device and in every floating-point type. The slope is the gradient of the sum of
 * the results with respect to x. {@link dev.downhill.tensor.Autograd#detectAnomaly} finds the
 * operator where the first such number comes from. PyTorch differs in three lines: there sign(nan)
 * and the slope of abs at nan are 0, and the slope of logsumexp of nothing but -inf is nan.
 *
 * <pre>
 * operator               x                  value                  slope
 * log(x)                 0                  -inf                   inf
 * log(x)                 -1                 nan                    -1
 * log(x)                 inf                inf                    0
 * sqrt(x)                0                  0                      inf
 * sqrt(x)                -1                 nan                    nan
 * rsqrt(x)               0                  inf                    -inf
 * reciprocal(x)          0                  inf                    -inf
 * exp(x)                 inf                inf                    inf
 * exp(x)                 -inf               0                      0
 * exp(x)                 1000               inf                    inf
 * tanh(x)                inf                1                      0
 * sigmoid(x)             -inf               0                      0
 * sin(x)                 inf                nan                    nan
 * relu(x)                nan                nan                    1
 * clamp(x, 0, 1)         nan                nan                    0
 * clamp(x, 0, 1)         inf                1                      0
 * abs(x)                 nan                nan                    nan
 * sign(x)                nan                nan                    0
 * x / 0                  1                  inf                    inf
 * x / 0                  -1                 -inf                   inf
 * x / 0                  0                  nan                    inf
 * 1 / x                  0                  inf                    -inf
 * x / inf                1                  0                      0
 * x / inf                inf                nan                    0
 * x - inf                inf                nan                    1
 * x * inf                0                  nan                    inf
 * x^0                    0                  1                      0
 * x^0                    nan                1                      0
 * x^0                    inf                1                      0
 * x^-1                   0                  inf                    -inf
 * x^0.5                  0                  0                      inf
 * x^0.5                  -1                 nan                    nan
 * x^3                    -inf               -inf                   inf
 * 0^x                    0                  1                      0
 * 0^x                    2                  0                      0
 * 0^x                    -1                 inf                    -inf
 * 1^x                    nan                1                      0
 * maximum(x, 1)          nan                nan                    1
 * maximum(x, nan)        1                  nan                    1
 * minimum(x, -inf)       -inf               -inf                   0.5
 * x == nan               nan                0                      0
 * x != nan               nan                1                      0
 * where(false, x, 1)     nan                1                      0
 * sum(x)                 (inf, -inf)        nan                    (1, 1)
 * sum(x)                 ()                 0                      ()
 * prod(x)                ()                 1                      ()
 * mean(x)                ()                 nan                    ()
 * norm(x)                ()                 0                      ()
 * norm(x)                (0, 0)             0                      (0, 0)
 * var(x)                 2                  nan                    nan
 * std(x)                 (3, 3)             0                      (0, 0)
 * max(x)                 (1, nan)           nan                    (0, 1)
 * min(x)                 (1, nan)           nan                    (0, 1)
 * argmax(x)              (inf, nan)         1                      (0, 0)
 * cumsum(x)              (1, inf, -inf)     (1, inf, nan)          (3, 2, 1)
 * softmax(x)             (-inf, 0)          (0, 1)                 (0, 0)
 * softmax(x)             (-inf, -inf)       (nan, nan)             (nan, nan)
 * softmax(x)             (inf, 0)           (nan, nan)             (nan, nan)
 * logsumexp(x)           (-inf, -inf)       -inf                   (0, 0)
 * logsumexp(x)           (inf, 0)           inf                    (nan, 0)
 * </pre>
 */
@NullMarked
package dev.downhill.tensor;

import org.jspecify.annotations.NullMarked;
