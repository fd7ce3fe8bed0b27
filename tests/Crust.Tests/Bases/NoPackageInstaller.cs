using Crust.Bases;
using Crust.Spec;

namespace Crust.Tests.Bases;

/// <summary>For tests that install nothing.</summary>
internal sealed class NoPackageInstaller : IPackageInstaller
{
    public Task RunAsync(string root, string script, Arch arch, string output, CancellationToken cancellation) => throw new NotSupportedException();
}
