using System.Collections.Immutable;
using System.Globalization;
using System.Text.RegularExpressions;
using Crust.Appliance;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts.Sources;
using Crust.Tools;
using Crust.Trees;

namespace Crust.Layers;

/// <summary>
/// Runs a command in a root, in a machine: the appliance puts the root onto a disk, the command runs there as a script layer does, with the processors, the memory and the network that
/// guests have, and the appliance packs what the command left. Nothing of the root runs on this host.
/// </summary>
/// <param name="tools">Finds QEMU for this host's own architecture.</param>
/// <param name="layers">Runs the command.</param>
internal sealed partial class RootCommand(ToolBox tools, ApplianceRun appliance, LayerRun layers)
{
    private const string Option = "--run";

    // What a script is called that has no name for people.
    private const string Unnamed = "the command";

    // Sparse: what isn't used of it takes no room on this host.
    private const long DiskSize = 32L << 30;

    /// <summary>Gives the root after the command. The tree reads from the scratch folder as long as it is used.</summary>
    /// <param name="command">A command line for the root's own /bin/sh.</param>
    /// <param name="machine">What the command's machine is like.</param>
    /// <exception cref="CrustException">The command failed, with the last lines that it printed, or the root can't be put onto a disk.</exception>
    public Task<FileTree> RunAsync(SystemRoot root, string command, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation)
    {
        return RunAsync(root.Tree, Script(root, command), Option, machine, accelerator, scratch, e =>
            new CrustException(e.Kind, e.What, $"{Option} {command}",
                "mend what it says; the command runs in the root by its own /bin/sh, and nothing is kept of a run that failed", e)
            {
                Detail = e.Detail,
            }, cancellation);
    }

    /// <summary>Gives the root after several steps, which one machine does. The tree reads from the scratch folder as long as it is used.</summary>
    /// <param name="machine">What the commands' machine is like.</param>
    /// <exception cref="CrustException">A step failed, with the last lines that it printed, or the root can't be put onto a disk.</exception>
    public async Task<FileTree> RunAsync(FileTree root, ImmutableArray<RootStep> steps, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation)
    {
        var script = RootScript.Of(steps);
        var after = await RunAsync(script.Files.Over(root), script.Text, steps[0].Where, machine, accelerator, scratch, e =>
        {
            var failed = RootScript.FailedOf(steps, e.Detail) ?? steps[0];
            return new CrustException(e.Kind, e.What.Replace(Unnamed, failed.Shown).Replace("the script", "it"), failed.Where,
                "mend what it says; it runs in the root by the root's own programs, and nothing is kept of a run that failed", e)
            {
                Detail = e.Detail,
            };
        }, cancellation);
        return after.Without(RootScript.Folder);
    }

    /// <summary>Gives a tar archive of the root after a script.</summary>
    /// <param name="tar">The root; deleted.</param>
    /// <param name="text">The script's text, for an interpreter of the root's own.</param>
    /// <param name="where">What asked for it, for errors.</param>
    /// <returns>The path of an archive in the scratch folder.</returns>
    /// <exception cref="CrustException">The script failed (<see cref="FailureKind.GuestFailed"/>), with the last lines that it printed, or the root can't be put onto a disk.</exception>
    public async Task<string> RunAsync(string tar, string text, string where, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation)
    {
        var (disk, packed, script) = (Path.Combine(scratch, "root.disk"), Path.Combine(scratch, "packed.tar"), Path.Combine(scratch, "command"));
        await CarryAsync("lay", tar, disk, where, machine, accelerator, scratch, cancellation);
        File.Delete(tar);
        PrivateFile.Write(script, text);
        var layer = Layer.ReadAll(new BuildSpec { Machine = machine, Layers = [new LayerSpec.Script(script) { Where = where }] })[0];
        try
        {
            await layers.ApplyAsync(layer, disk, machine, accelerator, scratch, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw new CrustException(e.Kind, e.What.Replace(layer.Title, Unnamed), e.Where, e.Remedy, e) { Detail = e.Detail };
        }

        await CarryAsync("pack", disk, packed, where, machine, accelerator, scratch, cancellation);
        File.Delete(disk);
        return packed;
    }

    private async Task<FileTree> RunAsync(FileTree root, string text, string where, MachineSpec machine, Accelerator accelerator, string scratch,
        Func<CrustException, CrustException> explain, CancellationToken cancellation)
    {
        var tar = Path.Combine(scratch, "root.tar");
        await using (var file = PrivateFile.Create(tar))
        {
            await root.WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        try
        {
            return FileTree.FromTar(await RunAsync(tar, text, where, machine, accelerator, scratch, cancellation), allowDevices: true).Without("lost+found");
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw explain(e);
        }
    }

    /// <summary>The script that runs a command as a container would.</summary>
    internal static string Script(SystemRoot root, string command) => string.Concat(
    [
        "#!/bin/sh\n",
        .. root.Environment.Where(variable => VariableName().IsMatch(variable))
            .Select(variable => $"export {variable[..variable.IndexOf('=')]}={Quoted(variable[(variable.IndexOf('=') + 1)..])}\n"),
        $"cd {Quoted(root.WorkingFolder)} || exit\n",
        $"exec /bin/sh -c {Quoted(command)}\n",
    ]);

    private async Task CarryAsync(string kind, string from, string to, string where, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation)
    {
        using (var file = PrivateFile.Create(to))
        {
            file.SetLength(DiskSize);
        }

        var job = new ApplianceJob("root", new Drive.Disk("raw") { File = to }, accelerator, Path.Combine(scratch, "serial.log"))
        {
            Title = kind == "lay" ? "putting the root onto a disk" : "packing the root",
            Data = from,
            Deadline = machine.Deadline,
            Arguments = [$"kind={kind}", string.Create(CultureInfo.InvariantCulture, $"epoch={Mmdebstrap.Epoch}")],
            Time = DateTimeOffset.FromUnixTimeSeconds(Mmdebstrap.Epoch),
            Arch = ApplianceJob.QuickestFor(machine.Arch, tools),
        };
        try
        {
            await appliance.RunAsync(job, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw new CrustException(FailureKind.BadInput, e.What, where, "mend the root as it says, or leave out what runs in it", e) { Detail = e.Detail };
        }
    }

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''")}'";

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]*=")]
    private static partial Regex VariableName();
}
