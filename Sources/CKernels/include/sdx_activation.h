#ifndef SDX_ACTIVATION_H
#define SDX_ACTIVATION_H
/// Activations that matrix products and convolutions apply to each value before they store it.

/// A function of one value x with parameters a and b.
typedef enum sdx_activation_kind {
    SDX_ACTIVATION_NONE = 0,
    SDX_ACTIVATION_RELU,         ///< max(0, x)
    SDX_ACTIVATION_LEAKY_RELU,   ///< x < 0 ? a·x : x
    SDX_ACTIVATION_CLIP,         ///< min(max(x, a), b)
    SDX_ACTIVATION_SIGMOID,      ///< 1 / (1 + e⁻ˣ)
    SDX_ACTIVATION_TANH,         ///< tanh x
    SDX_ACTIVATION_HARD_SIGMOID, ///< min(max(a·x + b, 0), 1)
    SDX_ACTIVATION_HARD_SWISH,   ///< x · min(max(x/6 + 1/2, 0), 1)
    SDX_ACTIVATION_SILU,         ///< x / (1 + e⁻ˣ)
    SDX_ACTIVATION_GELU,         ///< x/2 · (1 + erf(x / √2))
    SDX_ACTIVATION_GELU_TANH,    ///< x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))
    SDX_ACTIVATION_ELU,          ///< x < 0 ? a·(eˣ - 1) : x
} sdx_activation_kind;

/// An activation with its parameters; all zero for none. NaN stays NaN in all of them.
typedef struct sdx_activation {
    sdx_activation_kind kind;
    float a;
    float b;
} sdx_activation;
#endif
