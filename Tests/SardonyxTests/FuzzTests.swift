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
}
