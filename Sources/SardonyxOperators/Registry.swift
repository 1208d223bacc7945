import SardonyxGraph

extension OperatorRegistry {
    /// Every operator that comes with Sardonyx, a line each.
    package static let standard = OperatorRegistry([
        If.self,
        Loop.self,
        Relu.self,
        Reshape.self,
        Scan.self,
    ])
}
