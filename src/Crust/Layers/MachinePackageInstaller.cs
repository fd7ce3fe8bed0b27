using Crust.Bases;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;

namespace Crust.Layers;

/// <summary>Installs packages in the appliance of their architecture, which has no network then.</summary>
internal sealed class MachinePackageInstaller(RootCommand commands, AcceleratorProbe probe) : IPackageInstaller
{
    public async Task RunAsync(string root, string script, Arch arch, string output, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(Path.GetDirectoryName(output)!);
        // Emulated, hundreds of packages take their time; a stall shows in the layer's own output.
        var machine = new MachineSpec { Arch = arch, Memory = 2L << 30, Network = MachineNetwork.None, Deadline = TimeSpan.FromHours(3) };
        var accelerator = await probe.ChooseAsync(machine.Accelerator, arch, cancellation);
        File.Move(await commands.RunAsync(root, script, "base.debian", machine, accelerator.Used, scratch.Path, cancellation), output);
    }
}
