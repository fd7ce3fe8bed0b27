using System.Collections.Immutable;
using Crust.Machines;
using Crust.Storage;
using Crust.Tools;

namespace Crust.Host;

/// <param name="Findings">All findings, in the order in which they are reported.</param>
/// <param name="Accelerator">What will run guests; null if nothing can as it is demanded.</param>
internal sealed record HostFindings(ImmutableArray<Finding> Findings, AcceleratorChoice? Accelerator)
{
    /// <summary>What makes the build impossible.</summary>
    public IEnumerable<Finding> Problems => Findings.Where(finding => finding.Gravity is Gravity.Problem);

    /// <summary>What makes it slower or less sure.</summary>
    public IEnumerable<Finding> Warnings => Findings.Where(finding => finding.Gravity is Gravity.Warning);
}

/// <summary>The one list of checks, for builds and for the doctor.</summary>
internal sealed class HostChecks
{
    private readonly ImmutableArray<IHostCheck> _before;
    private readonly ImmutableArray<IHostCheck> _after;
    private readonly KvmCheck _kvm;

    public HostChecks(ToolBox tools, FirmwareFinder firmware, AcceleratorProbe probe, Folders folders)
        : this(tools, firmware, probe, folders, HostFiles.OfHost, library => library.IsThere(), FolderSpace.Of)
    {
    }

    internal HostChecks(ToolBox tools, FirmwareFinder firmware, AcceleratorProbe probe, Folders folders, HostFiles files, Func<HostLibrary, bool> isThere, Func<string, FolderSpace> look)
    {
        Space = new SpaceCheck(folders, look);
        _before = [new CoresCheck(Environment.ProcessorCount), new MemoryCheck(files), new FileSizeCheck(HostFault.FileSizeLimit), new ContainerCheck(files)];
        _kvm = new KvmCheck(probe);
        _after =
        [
            new FirmwareCheck(firmware),
            new RootlessCheck(tools, files, Environment.UserName, Environment.IsPrivilegedProcess),
            new ToolsCheck(tools),
            new LibrariesCheck(isThere),
            new FoldersCheck(folders),
            Space,
            new ProofCheck(),
        ];
    }

    /// <summary>The one about space, which builds ask again once they know more.</summary>
    internal SpaceCheck Space { get; }

    public async Task<HostFindings> RunAsync(HostQuestion question, CancellationToken cancellation)
    {
        var kvm = _kvm.FindAsync(question.Spec.Machine, cancellation);
        var before = Task.WhenAll(_before.Select(check => check.FindAsync(question, cancellation)));
        var after = Task.WhenAll(_after.Select(check => check.FindAsync(question, cancellation)));
        await Task.WhenAll(kvm, before, after);
        var (finding, choice) = await kvm;
        return new HostFindings([.. (await before).SelectMany(findings => findings), finding, .. (await after).SelectMany(findings => findings)], choice);
    }
}
