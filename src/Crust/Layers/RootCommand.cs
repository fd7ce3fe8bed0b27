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
        return CarriedAsync(root.Tree, Option, machine, accelerator, scratch, disk => ApplyAsync(Script(root, command), Option, disk, machine, accelerator, scratch, (e, title) =>
            new CrustException(e.Kind, e.What.Replace(title, Unnamed), $"{Option} {command}",
                "mend what it says; the command runs in the root by its own /bin/sh, and nothing is kept of a run that failed", e)
            {
                Detail = e.Detail,
            }, cancellation), cancellation);
    }

    /// <summary>Gives the root after several steps; commands and files that follow each other are done by one machine. The tree reads from the scratch folder as long as it is used.</summary>
    /// <param name="machine">What the commands' machine is like.</param>
    /// <exception cref="CrustException">A step failed, with the last lines that it printed, or the root can't be put onto a disk.</exception>
    public async Task<FileTree> RunAsync(FileTree root, ImmutableArray<RootStep> steps, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation)
    {
        ImmutableArray<(ImmutableArray<RootStep> Steps, RootScript? Script)> parts = [.. PartsOf(steps).Select((part, i) => (part, part[0] is RootStep.OfLayer ? null : RootScript.Of(part, i)))];
        root = parts.Select(part => part.Script?.Files).OfType<FileTree>().Aggregate(root, (below, files) => files.Over(below));
        var after = await CarriedAsync(root, steps[0].Where, machine, accelerator, scratch, async disk =>
        {
            foreach (var (part, script) in parts)
            {
                await (script is null ? ApplyAsync(((RootStep.OfLayer)part[0]).Layer, disk, machine, accelerator, scratch, Explain, cancellation)
                    : ApplyAsync(script.Text, part[0].Where, disk, machine, accelerator, scratch, Explain, cancellation));

                CrustException Explain(CrustException e, string title)
                {
                    var failed = RootScript.FailedOf(part, e.Detail) ?? part[0];
                    return new CrustException(e.Kind, e.What.Replace(title, failed.Shown).Replace("the script", "it").Replace("the system on this disk", "the base"), failed.Where,
                        "mend what it says; it runs in the root by the root's own programs, and nothing is kept of a run that failed", e)
                    {
                        Detail = e.Detail,
                    };
                }
            }
        }, cancellation);
        return after.Without(RootScript.Folder);
    }

    /// <summary>Gives a tar archive of the root after a script.</summary>
    /// <param name="tar">The root; deleted.</param>
    /// <param name="text">The script's text, for an interpreter of the root's own.</param>
    /// <param name="where">What asked for it, for errors.</param>
    /// <returns>The path of an archive in the scratch folder.</returns>
    /// <exception cref="CrustException">The script failed (<see cref="FailureKind.GuestFailed"/>), with the last lines that it printed, or the root can't be put onto a disk.</exception>
    public Task<string> RunAsync(string tar, string text, string where, MachineSpec machine, Accelerator accelerator, string scratch, CancellationToken cancellation) =>
        CarriedAsync(tar, where, machine, accelerator, scratch, disk => ApplyAsync(text, where, disk, machine, accelerator, scratch, (e, title) =>
            new CrustException(e.Kind, e.What.Replace(title, Unnamed), e.Where, e.Remedy, e) { Detail = e.Detail }, cancellation), cancellation);

    // Each layer has its own machine.
    private static IEnumerable<ImmutableArray<RootStep>> PartsOf(ImmutableArray<RootStep> steps)
    {
        for (var i = 0; i < steps.Length;)
        {
            var end = i + 1;
            while (steps[i] is not RootStep.OfLayer && end < steps.Length && steps[end] is not RootStep.OfLayer)
            {
                end++;
            }

            yield return steps[i..end];
            i = end;
        }
    }

    private Task ApplyAsync(string script, string where, string disk, MachineSpec machine, Accelerator accelerator, string scratch, Func<CrustException, string, CrustException> explain,
        CancellationToken cancellation)
    {
        var path = Path.Combine(scratch, "command");
        File.Delete(path);
        PrivateFile.Write(path, script);
        var layer = Layer.ReadAll(new BuildSpec { Machine = machine, Layers = [new LayerSpec.Script(path) { Where = where }] })[0];
        return ApplyAsync(layer, disk, machine, accelerator, scratch, explain, cancellation);
    }

    private async Task ApplyAsync(Layer layer, string disk, MachineSpec machine, Accelerator accelerator, string scratch, Func<CrustException, string, CrustException> explain,
        CancellationToken cancellation)
    {
        try
        {
            await layers.ApplyAsync(layer, disk, machine, accelerator, scratch, cancellation);
        }
        catch (CrustException e) when (e.Kind is FailureKind.GuestFailed)
        {
            throw explain(e, layer.Title);
        }
    }

    private async Task<FileTree> CarriedAsync(FileTree root, string where, MachineSpec machine, Accelerator accelerator, string scratch, Func<string, Task> change, CancellationToken cancellation)
    {
        var tar = Path.Combine(scratch, "root.tar");
        await using (var file = PrivateFile.Create(tar))
        {
            await root.WriteTarAsync(file, Mmdebstrap.Epoch, cancellation);
        }

        return FileTree.FromTar(await CarriedAsync(tar, where, machine, accelerator, scratch, change, cancellation), allowDevices: true).Without("lost+found");
    }

    // The root's archive goes, and one of what it has become is there.
    private async Task<string> CarriedAsync(string tar, string where, MachineSpec machine, Accelerator accelerator, string scratch, Func<string, Task> change, CancellationToken cancellation)
    {
        var (disk, packed) = (Path.Combine(scratch, "root.disk"), Path.Combine(scratch, "packed.tar"));
        await CarryAsync("lay", tar, disk, where, machine, accelerator, scratch, cancellation);
        File.Delete(tar);
        await change(disk);
        await CarryAsync("pack", disk, packed, where, machine, accelerator, scratch, cancellation);
        File.Delete(disk);
        return packed;
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
