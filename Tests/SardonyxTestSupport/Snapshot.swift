import Glibc
import Testing

/// Compares a text with Tests/Snapshots/NAME, or writes it there when SARDONYX_RECORD is set.
package func expectSnapshot(
    _ text: String, _ name: String, sourceLocation: SourceLocation = #_sourceLocation
) {
    let path = repositoryFile("Tests/Snapshots/\(name)")
    if getenv("SARDONYX_RECORD") != nil {
        guard let file = fopen(path, "w") else {
            Issue.record("cannot write \(path)", sourceLocation: sourceLocation)
            return
        }
        fputs(text, file)
        fclose(file)
    }
    #expect(text == fileText(path), "differs from \(path)", sourceLocation: sourceLocation)
}
