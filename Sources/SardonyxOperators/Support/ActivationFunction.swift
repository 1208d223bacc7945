import CKernels
import SardonyxGraph

/// Functions of one number that recurrent layers apply and that fused nodes apply to their results, by ONNX's names.
package enum ActivationFunction: String, Sendable {
    case relu = "Relu"
    case leakyRelu = "LeakyRelu"
    case thresholdedRelu = "ThresholdedRelu"
    case tanh = "Tanh"
    case scaledTanh = "ScaledTanh"
    case sigmoid = "Sigmoid"
    case hardSigmoid = "HardSigmoid"
    case hardSwish = "HardSwish"
    case elu = "Elu"
    case softsign = "Softsign"
    case softplus = "Softplus"
    case affine = "Affine"
    case clip = "Clip"
    case swish = "Swish"
    case silu = "Silu"
    case gelu = "Gelu"
    case geluTanh = "GeluTanh"

    /// What the parameters are when a node does not give them.
    package var defaults: (alpha: Float, beta: Float) {
        switch self {
        case .leakyRelu: (0.01, 0)
        case .thresholdedRelu, .elu, .swish: (1, 0)
        case .scaledTanh: (1, 1)
        case .hardSigmoid: (0.2, 0.5)
        case .affine: (1, 0)
        case .clip: (-.infinity, .infinity)
        default: (0, 0)
        }
    }

    /// The function's value; a NaN stays.
    @inline(__always)
    func callAsFunction(_ x: Double, _ alpha: Double, _ beta: Double) -> Double {
        switch self {
        case .relu: x < 0 ? 0 : x
        case .leakyRelu: x < 0 ? alpha * x : x
        case .thresholdedRelu: x < alpha ? 0 : x
        case .tanh: Double.tanh(x)
        case .scaledTanh: alpha * Double.tanh(beta * x)
        case .sigmoid: 1 / (1 + Double.exp(-x))
        case .hardSigmoid: Double.clamping(alpha * x + beta, 0, 1)
        case .hardSwish: x * Double.clamping(x / 6 + 0.5, 0, 1)
        case .elu: x < 0 ? alpha * Double.expm1(x) : x
        case .softsign: x / (1 + abs(x))
        case .softplus: Double.softplus(x)
        case .affine: alpha * x + beta
        case .clip: Double.clamping(x, alpha, beta)
        case .swish: x / (1 + Double.exp(-alpha * x))
        case .silu: x / (1 + Double.exp(-x))
        case .gelu: 0.5 * x * (1 + Double.erf(x * 0.5.squareRoot()))
        case .geluTanh: 0.5 * x * (1 + Double.tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        }
    }
}

/// The activation that the fusion pass put into a convolution or a matrix product, by internal attributes.
package struct FusedActivation: Sendable {
    /// The attribute that names the function, such as `Relu`.
    package static let attribute = "sardonyx.activation"
    package static let alphaAttribute = "sardonyx.alpha"
    package static let betaAttribute = "sardonyx.beta"

    package let function: ActivationFunction
    package let alpha: Float
    package let beta: Float

    /// The node's activation, or nil when it has none.
    package init?(_ node: Node) throws {
        guard let name = node.string(Self.attribute) else { return nil }
        guard let function = ActivationFunction(rawValue: name) else {
            throw SardonyxError(.unsupported, "the activation \(name) is not known")
        }
        self.function = function
        alpha = node.float(Self.alphaAttribute) ?? function.defaults.alpha
        beta = node.float(Self.betaAttribute) ?? function.defaults.beta
    }

    func apply<T: Real>(_ value: T.Wide, as type: T.Type) -> T.Wide {
        T.Wide(function(Double(value), Double(alpha), Double(beta)))
    }

    /// The form that the C kernels take.
    /// - Throws: `SardonyxError` (`unsupported`) when they do not have it.
    func kernelForm() throws -> sdx_activation {
        let kind: sdx_activation_kind
        switch function {
        case .relu: kind = SDX_ACTIVATION_RELU
        case .leakyRelu: kind = SDX_ACTIVATION_LEAKY_RELU
        case .clip: kind = SDX_ACTIVATION_CLIP
        case .sigmoid: kind = SDX_ACTIVATION_SIGMOID
        case .tanh: kind = SDX_ACTIVATION_TANH
        case .hardSigmoid: kind = SDX_ACTIVATION_HARD_SIGMOID
        case .hardSwish: kind = SDX_ACTIVATION_HARD_SWISH
        case .silu: kind = SDX_ACTIVATION_SILU
        case .swish where alpha == 1: kind = SDX_ACTIVATION_SILU
        case .gelu: kind = SDX_ACTIVATION_GELU
        case .geluTanh: kind = SDX_ACTIVATION_GELU_TANH
        case .elu: kind = SDX_ACTIVATION_ELU
        default: throw SardonyxError(.unsupported, "the activation \(function.rawValue) cannot be fused")
        }
        return sdx_activation(kind: kind, a: alpha, b: beta)
    }

    /// The kernel form of an optional activation.
    static func kernelForm(_ activation: FusedActivation?) throws -> sdx_activation {
        try activation?.kernelForm() ?? sdx_activation(kind: SDX_ACTIVATION_NONE, a: 0, b: 0)
    }
}
