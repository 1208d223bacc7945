import Glibc
import Testing

/// Compares a text with Tests/Snapshots/NAME, or writes it there when SARDONYX_RECORD is set.
package func expectSnapshot(
    _ text: String, _ name: String, file: StaticString = #filePath, sourceLocation: SourceLocation = #_sourceLocation
) {
    let tests = "\(file)".split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    let path = "\(tests)/Snapshots/\(name)"
    if getenv("SARDONYX_RECORD") != nil {
        guard let file = fopen(path, "w") else {
            Issue.record("cannot write \(path)", sourceLocation: sourceLocation)
            return
        }
        fputs(text, file)
        fclose(file)
    }
    let expected = String(decoding: fileBytes(path), as: UTF8.self)
    #expect(text == expected, "differs from \(path)", sourceLocation: sourceLocation)
}
