import SardonyxGraph

extension OperatorRegistry {
    /// Every operator that comes with Sardonyx, a line each.
    package static let standard = OperatorRegistry([
        Relu.self,
        Reshape.self,
    ])
}
