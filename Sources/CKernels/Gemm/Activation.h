/// Activations of vectors, in one ISA pass; after Vector.h. No include guard: on purpose.
#include "../Elementwise/VectorMath.h"
#define vactivate SDX_FN(sdx_vactivate)

/// The activation of each lane, with the bits of the unary function.
SDX_INLINE vf vactivate(sdx_activation act, vf x) {
    switch (act.kind) {
    case SDX_ACTIVATION_RELU: return vmax(vsplat(0), x);
    case SDX_ACTIVATION_LEAKY_RELU: return x < 0.0f ? x * act.a : x;
    case SDX_ACTIVATION_CLIP: return vmin(vsplat(act.b), vmax(vsplat(act.a), x));
    case SDX_ACTIVATION_SIGMOID: return vsigmoid(x);
    case SDX_ACTIVATION_TANH: return vtanh(x);
    case SDX_ACTIVATION_HARD_SIGMOID: return vmin(vsplat(1), vmax(vsplat(0), vfma(x, vsplat(act.a), vsplat(act.b))));
    case SDX_ACTIVATION_HARD_SWISH:
        return x * vmin(vsplat(1), vmax(vsplat(0), vfma(x, vsplat(1.0f / 6), vsplat(0.5f))));
    case SDX_ACTIVATION_SILU: return x * vsigmoid(x);
    case SDX_ACTIVATION_GELU: return 0.5f * x * (1.0f + verf(x * 0.70710678118654752f));
    case SDX_ACTIVATION_GELU_TANH:
        return 0.5f * x * (1.0f + vtanh(x * 0.79788456080286536f * vfma(x * x, vsplat(0.044715f), vsplat(1))));
    case SDX_ACTIVATION_ELU: return x < 0.0f ? act.a * vexpm1(x) : x;
    case SDX_ACTIVATION_NONE: break;
    }
    return x;
}
