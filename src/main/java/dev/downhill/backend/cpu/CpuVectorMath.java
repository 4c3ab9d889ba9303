package dev.downhill.backend.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/**
 * The {@code f32} functions of {@link CpuMath} on vectors of any width. Every lane has the bits of
 * the scalar form, because both are the same operations in the same order; special cases are
 * blended in at the end. (Vector.lanewise(EXP) and its kin differ between machines.)
 */
final class CpuVectorMath {
  private CpuVectorMath() {}

  static FloatVector exp(FloatVector x) {
    FloatVector shifted = fma(x, Minimax.LOG2_E, Minimax.ROUND);
    FloatVector p = expm1Reduced(reduceLn2(x, shifted.sub(Minimax.ROUND))).add(1f);
    IntVector n = shifted.reinterpretAsInts().sub(Minimax.ROUND_BITS);
    IntVector half = n.lanewise(VectorOperators.ASHR, 1);
    return p.mul(powerOf2(half))
        .mul(powerOf2(n.sub(half)))
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, Minimax.EXP_MAX))
        .blend(0f, x.compare(VectorOperators.LT, Minimax.EXP_MIN));
  }

  static FloatVector expm1(FloatVector x) {
    FloatVector shifted = fma(x, Minimax.LOG2_E, Minimax.ROUND);
    FloatVector p = expm1Reduced(reduceLn2(x, shifted.sub(Minimax.ROUND)));
    IntVector n = shifted.reinterpretAsInts().sub(Minimax.ROUND_BITS);
    FloatVector scale = powerOf2(n.sub(1));
    return scale
        .fma(p, scale.sub(0.5f))
        .mul(2f)
        .blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, Minimax.EXP_MAX))
        .blend(-1f, x.compare(VectorOperators.LT, Minimax.EXPM1_MIN))
        .blend(x, x.abs().compare(VectorOperators.LT, Minimax.TINY));
  }

  private static FloatVector reduceLn2(FloatVector x, FloatVector k) {
    return k.fma(k.broadcast(-Minimax.LN2_REST), k.fma(k.broadcast(-Minimax.LN2), x));
  }

  private static FloatVector expm1Reduced(FloatVector r) {
    FloatVector p = fma(r, Minimax.EXP_7, Minimax.EXP_6);
    p = fma(p, r, Minimax.EXP_5);
    p = fma(p, r, Minimax.EXP_4);
    p = fma(p, r, Minimax.EXP_3);
    p = fma(p, r, 0.5f);
    return p.fma(r.mul(r), r);
  }

  private static FloatVector powerOf2(IntVector n) {
    return n.add(127).lanewise(VectorOperators.LSHL, 23).reinterpretAsFloats();
  }

  static FloatVector log(FloatVector x) {
    VectorMask<Float> subnormal = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
    IntVector bits = x.blend(x.mul(0x1p23f), subnormal).reinterpretAsInts();
    IntVector e = bits.sub(Minimax.THREE_QUARTERS_BITS).and(Minimax.EXPONENT_MASK);
    FloatVector k = exponent(e).sub(x.broadcast(0f).blend(23f, subnormal));
    FloatVector m = bits.sub(e).reinterpretAsFloats().sub(1f);
    return k.fma(k.broadcast(Minimax.LN2), log1pReduced(m))
        .blend(x, x.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY).or(isNaN(x)))
        .blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, 0f))
        .blend(Float.NaN, x.compare(VectorOperators.LT, 0f));
  }

  static FloatVector log1p(FloatVector x) {
    IntVector e =
        x.add(1f).reinterpretAsInts().sub(Minimax.THREE_QUARTERS_BITS).and(Minimax.EXPONENT_MASK);
    FloatVector scale4 = e.neg().add(0x40800000).reinterpretAsFloats();
    FloatVector m = x.reinterpretAsInts().sub(e).reinterpretAsFloats().add(fma(scale4, 0.25f, -1f));
    FloatVector k = exponent(e);
    return k.fma(k.broadcast(Minimax.LN2), log1pReduced(m))
        .blend(x, x.compare(VectorOperators.EQ, Float.POSITIVE_INFINITY).or(isNaN(x)))
        .blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, -1f))
        .blend(Float.NaN, x.compare(VectorOperators.LT, -1f))
        .blend(x, x.abs().compare(VectorOperators.LT, Minimax.TINY));
  }

  private static VectorMask<Float> isNaN(FloatVector x) {
    return x.compare(VectorOperators.NE, x);
  }

  private static FloatVector exponent(IntVector e) {
    return (FloatVector) e.lanewise(VectorOperators.ASHR, 23).convert(VectorOperators.I2F, 0);
  }

  private static FloatVector log1pReduced(FloatVector m) {
    FloatVector p = fma(m, Minimax.LOG_10, Minimax.LOG_9);
    p = fma(p, m, Minimax.LOG_8);
    p = fma(p, m, Minimax.LOG_7);
    p = fma(p, m, Minimax.LOG_6);
    p = fma(p, m, Minimax.LOG_5);
    p = fma(p, m, Minimax.LOG_4);
    p = fma(p, m, Minimax.LOG_3);
    p = fma(p, m, -0.5f);
    return p.fma(m.mul(m), m);
  }

  static FloatVector sin(FloatVector x) {
    if (x.abs().compare(VectorOperators.GT, Minimax.TRIG_MAX).anyTrue()) {
      float[] lanes = x.toArray();
      for (int i = 0; i < lanes.length; i++) {
        lanes[i] = CpuMath.sin(lanes[i]);
      }
      return FloatVector.fromArray(x.species(), lanes, 0);
    }
    FloatVector shifted = fma(x, Minimax.TWO_OVER_PI, Minimax.ROUND);
    return sine(reduceHalfPi(x, shifted.sub(Minimax.ROUND)), shifted.reinterpretAsInts())
        .blend(x, x.compare(VectorOperators.EQ, 0f));
  }

  static FloatVector cos(FloatVector x) {
    if (x.abs().compare(VectorOperators.GT, Minimax.TRIG_MAX).anyTrue()) {
      float[] lanes = x.toArray();
      for (int i = 0; i < lanes.length; i++) {
        lanes[i] = CpuMath.cos(lanes[i]);
      }
      return FloatVector.fromArray(x.species(), lanes, 0);
    }
    FloatVector shifted = fma(x, Minimax.TWO_OVER_PI, Minimax.ROUND);
    return sine(reduceHalfPi(x, shifted.sub(Minimax.ROUND)), shifted.reinterpretAsInts().add(1));
  }

  private static FloatVector reduceHalfPi(FloatVector x, FloatVector k) {
    FloatVector r = k.fma(k.broadcast(-Minimax.HALF_PI), x);
    r = k.fma(k.broadcast(-Minimax.HALF_PI_REST), r);
    return k.fma(k.broadcast(-Minimax.HALF_PI_REST2), r);
  }

  private static FloatVector sine(FloatVector r, IntVector quadrant) {
    FloatVector y =
        sinReduced(r)
            .blend(cosReduced(r), quadrant.and(1).compare(VectorOperators.NE, 0).cast(r.species()));
    IntVector sign = quadrant.and(2).lanewise(VectorOperators.LSHL, 30);
    return y.reinterpretAsInts().lanewise(VectorOperators.XOR, sign).reinterpretAsFloats();
  }

  private static FloatVector sinReduced(FloatVector r) {
    FloatVector s = r.mul(r);
    FloatVector p = fma(s, Minimax.SIN_7, Minimax.SIN_5);
    p = fma(p, s, Minimax.SIN_3);
    return p.mul(s).fma(r, r);
  }

  private static FloatVector cosReduced(FloatVector r) {
    FloatVector s = r.mul(r);
    FloatVector p = fma(s, Minimax.COS_8, Minimax.COS_6);
    p = fma(p, s, Minimax.COS_4);
    p = fma(p, s, -0.5f);
    return fma(p, s, 1f);
  }

  static FloatVector tanh(FloatVector x) {
    FloatVector t = x.abs();
    FloatVector small = tanhSmall(t);
    FloatVector large = t.broadcast(1f).sub(t.broadcast(2f).div(exp(t.add(t)).add(1f)));
    return copySign(large.blend(small, t.compare(VectorOperators.LT, Minimax.TANH_SMALL)), x);
  }

  private static FloatVector tanhSmall(FloatVector t) {
    FloatVector s = t.mul(t);
    FloatVector p = fma(s, Minimax.TANH_11, Minimax.TANH_9);
    p = fma(p, s, Minimax.TANH_7);
    p = fma(p, s, Minimax.TANH_5);
    p = fma(p, s, Minimax.TANH_3);
    return p.mul(s).fma(t, t);
  }

  static FloatVector sigmoid(FloatVector x) {
    FloatVector z = exp(x.abs().neg());
    FloatVector one = z.broadcast(1f);
    FloatVector numerator = one.blend(z, x.compare(VectorOperators.LT, 0f));
    FloatVector d = one.add(z);
    FloatVector rest = z.sub(d.sub(one));
    FloatVector reciprocal = one.div(d);
    FloatVector y = numerator.mul(reciprocal);
    FloatVector minus = y.neg();
    return minus.fma(rest, minus.fma(d, numerator)).fma(reciprocal, y);
  }

  static FloatVector erf(FloatVector x) {
    FloatVector t = x.abs();
    FloatVector small = erfSmall(t);
    FloatVector large = t.broadcast(1f).sub(exp(logErfc(t.min(Minimax.ERF_MAX))));
    return copySign(large.blend(small, t.compare(VectorOperators.LT, Minimax.ERF_SMALL)), x);
  }

  private static FloatVector erfSmall(FloatVector t) {
    FloatVector s = t.mul(t);
    FloatVector p = fma(s, Minimax.ERF_13, Minimax.ERF_11);
    p = fma(p, s, Minimax.ERF_9);
    p = fma(p, s, Minimax.ERF_7);
    p = fma(p, s, Minimax.ERF_5);
    p = fma(p, s, Minimax.ERF_3);
    p = fma(p, s, Minimax.ERF_1);
    return p.fma(t, t);
  }

  private static FloatVector logErfc(FloatVector t) {
    FloatVector p = fma(t, Minimax.ERFC_6, Minimax.ERFC_5);
    p = fma(p, t, Minimax.ERFC_4);
    p = fma(p, t, Minimax.ERFC_3);
    p = fma(p, t, Minimax.ERFC_2);
    p = fma(p, t, Minimax.ERFC_1);
    return fma(p, t, Minimax.ERFC_0);
  }

  /** Lane by lane. */
  static FloatVector pow(FloatVector x, FloatVector y) {
    float[] a = x.toArray();
    float[] b = y.toArray();
    for (int i = 0; i < a.length; i++) {
      a[i] = CpuMath.pow(a[i], b[i]);
    }
    return FloatVector.fromArray(x.species(), a, 0);
  }

  private static FloatVector fma(FloatVector a, FloatVector b, float c) {
    return a.fma(b, a.broadcast(c));
  }

  private static FloatVector fma(FloatVector a, float b, float c) {
    return a.fma(a.broadcast(b), a.broadcast(c));
  }

  private static FloatVector copySign(FloatVector magnitude, FloatVector sign) {
    IntVector signBits = sign.reinterpretAsInts().and(Integer.MIN_VALUE);
    return magnitude.reinterpretAsInts().or(signBits).reinterpretAsFloats();
  }
}
