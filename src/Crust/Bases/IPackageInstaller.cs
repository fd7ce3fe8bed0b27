using Crust.Spec;

namespace Crust.Bases;

/// <summary>Runs what packages run while they are installed, where this host can't: in a machine of their architecture.</summary>
internal interface IPackageInstaller
{
    /// <summary>Runs a script in a root, by the root's own shell.</summary>
    /// <param name="root">The path of a tar archive of the root; deleted.</param>
    /// <param name="output">The path that the archive of what the script left gets.</param>
    /// <exception cref="CrustException">The script failed (<see cref="FailureKind.GuestFailed"/>), with the last lines that it printed.</exception>
    Task RunAsync(string root, string script, Arch arch, string output, CancellationToken cancellation);
}
