namespace Crust.Storage;

/// <summary>Where a build finds and leaves things. All paths are absolute.</summary>
internal sealed record Folders
{
    /// <summary>Finished images, manifests and logs.</summary>
    public required string Images { get; init; }

    /// <summary>What can be made again: installers, appliances, installed disks. Survives builds.</summary>
    public required string Cache { get; init; }

    /// <summary>Where the build's private folder for sockets is made. Short: a Unix socket's path has at most 107 bytes.</summary>
    public required string Runtime { get; init; }

    /// <summary>Guest scripts, templates and package lists (the repository's `builder/`).</summary>
    public required string Builder { get; init; }

    /// <summary>The `builder/` that lies beside the program.</summary>
    public static string BuilderBesideProgram => Path.Combine(AppContext.BaseDirectory, "builder");
}
