import SardonyxTestSupport

/// Runs the command that was built beside the tests, in a folder.
func sardonyx(_ arguments: String..., in folder: TemporaryFolder) throws -> CommandResult {
    try sardonyx(arguments, in: folder)
}

func sardonyx(_ arguments: [String], in folder: TemporaryFolder) throws -> CommandResult {
    try runBuilt("sardonyx", arguments, in: folder)
}
