import Sardonyx
import SardonyxTestModels

extension TestTensor {
    /// A tensor as a test's model holds it; nil for elements narrower than a byte, which files pack.
    init?(_ value: Tensor, _ name: String) {
        let type = Int64(value.dataType.rawValue)
        let dims = value.shape.map(Int64.init)
        if value.dataType == .string {
            self.init(name, dims: dims, type: type, raw: nil)
            strings = value.strings
            return
        }
        guard value.dataType.fileBitCount >= 8 else { return nil }
        self.init(name, dims: dims, type: type, raw: value.withUnsafeBytes { Array($0) })
    }
}
