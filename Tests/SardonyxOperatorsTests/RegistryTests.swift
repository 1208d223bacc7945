import SardonyxGraph
import Testing

@testable import SardonyxOperators

@Suite struct RegistryTests {
    @Test(arguments: OperatorRegistry.engine.all.map { $0.schema.qualifiedName })
    func schemaIsWellFormed(name: String) throws {
        let parts = name.split(separator: ".")
        let type = try #require(
            OperatorRegistry.engine.find(
                domain: parts.dropLast().joined(separator: "."), type: String(parts.last ?? "")))
        let schema = type.schema
        #expect(!schema.versions.isEmpty)
        #expect(schema.versions == schema.versions.sorted())
        #expect(Set(schema.attributes.map(\.name)).count == schema.attributes.count)
        #expect(schema.inputs.dropLast().allSatisfy { $0.kind != .variadic })
        #expect(["\(schema.name)", "\(schema.name)Operator"].contains("\(type)"))
    }
}
