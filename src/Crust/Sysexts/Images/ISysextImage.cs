using Crust.Trees;

namespace Crust.Sysexts.Images;

/// <summary>Writes a tree as one file that systemd takes for an extension.</summary>
internal interface ISysextImage
{
    SysextFormat Format { get; }

    /// <param name="path">The file to write.</param>
    /// <param name="scratch">A private folder for what isn't kept.</param>
    /// <exception cref="CrustException">A tool is missing or failed.</exception>
    /// <exception cref="IOException">Something can't be read or written.</exception>
    Task WriteAsync(SysextPlan plan, FileTree tree, string path, string scratch, CancellationToken cancellation);
}
