import SardonyxGraph
import SardonyxOperators
import SardonyxTestSupport
import Testing

/// Damaged models, opened, planned and run in processes of their own: a trap ends the process, and the number that it
/// printed last tells the model. `SardonyxFuzz NUMBER 1` does it again.
@Suite struct FuzzTests {
    /// The first number of each stretch of models.
    @Test(arguments: [0, 1_000_000, 2_000_000, 3_000_000])
    func damagedModelsThrowTypedErrors(first: Int) throws {
        let count = 1000
        let result = try runBuilt("SardonyxFuzz", ["\(first)", "\(count)"], in: TemporaryFolder())
        let last = result.output.split(separator: "\n").last.map(String.init) ?? ""
        try #require(result.status == 0, "ended by \(result.status) after: \(last)\n\(result.errors.prefix(4000))")
        // The damage must reach further than the reader.
        let numbers = last.split { !$0.isNumber }.compactMap { Int($0) }
        try #require(numbers.count == 3 && numbers[0] == count, "\(last)")
        #expect(numbers[1] > count / 5 && numbers[2] > count / 8, "\(last)")
    }

    /// Each operator of the registry in turn, with ranks, types, sizes, counts and attributes that nobody should give it:
    /// it runs, or gives an error that names the node. `SardonyxFuzz NUMBER 1 operators` does one again.
    @Test(arguments: [0, 1_000_000, 2_000_000, 3_000_000])
    func everyOperatorRefusesWhatItCannotTake(first: Int) throws {
        let names = Set(OperatorRegistry.standard.all.map { $0.schema.qualifiedName })
        let count = 5 * names.count
        let result = try runBuilt("SardonyxFuzz", ["\(first)", "\(count)", "operators"], in: TemporaryFolder())
        let lines = result.output.split(separator: "\n")
        let end = lines.suffix(2).joined(separator: "\n")
        try #require(result.status == 0, "ended by \(result.status) after: \(end)\n\(result.errors.prefix(4000))")
        let words = lines.map { $0.split(separator: " ").map(String.init) }
        let met = words.filter { $0.count == 3 }.map { $0[1] }
        #expect(names.subtracting(met).isEmpty)
        // What is wrong must not be wrong in the file alone.
        let numbers = (lines.last ?? "").split { !$0.isNumber }.compactMap { Int($0) }
        try #require(numbers.count == 3 && numbers[0] == count, "\(end)")
        #expect(numbers[1] > count / 3 && numbers[2] > count / 4, "\(end)")
    }
}
