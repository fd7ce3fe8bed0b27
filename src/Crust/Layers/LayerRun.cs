using System.Collections.Immutable;
using Crust.Appliance;
using Crust.Disks;
using Crust.Machines;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;
using Crust.Tools;
using Crust.Trees;
using Serilog;

namespace Crust.Layers;

/// <summary>
/// Puts a layer onto a disk, in the appliance. Files are unpacked by the warm one. For what runs programs of the disk's own system, one boots in a machine of the disk's
/// architecture, with the processors, the memory and the network that the spec gives to guests; nothing of this host is in it but the disk and the layer.
/// </summary>
/// <param name="tools">Finds QEMU for this host's own architecture.</param>
/// <param name="content">What layers bring.</param>
/// <param name="observer">Hears how far it is.</param>
/// <param name="log">Gets what scripts and package managers print.</param>
internal sealed class LayerRun(ToolBox tools, ApplianceRun appliance, LayerContent content, IBuildObserver observer, ILogger log)
{
    // The time of all files that layers bring.
    private const long Epoch = Mmdebstrap.Epoch;

    private const int QuotedLines = 20;

    /// <summary>Writes a layer onto a raw disk, which nobody else uses. A disk on which that failed is of no use.</summary>
    /// <param name="accelerator">What runs guests of the disk's architecture, as the probe chose it.</param>
    /// <returns>What was put onto it.</returns>
    /// <exception cref="CrustException">It can't be put onto this disk, or failed; with the last lines that its programs printed.</exception>
    public async Task<LayerFacts> ApplyAsync(Layer layer, string disk, MachineSpec machine, Accelerator accelerator, string folder, CancellationToken cancellation)
    {
        using var scratch = new ScratchFolder(folder);
        foreach (var warning in layer.Warnings)
        {
            observer.Observe(new BuildEvent.Warned(warning, layer.Title));
        }

        var (tree, facts) = await content.OfAsync(layer, scratch.Path, cancellation);
        var data = tree is not null ? await WriteAsync(tree, Path.Combine(scratch.Path, "layer.tar"), cancellation) : null;
        var printed = new Queue<string>();
        var job = new ApplianceJob("layer", new Drive.Disk("raw") { File = disk }, accelerator, Path.Combine(scratch.Path, "serial.log"))
        {
            Title = layer.Title,
            Data = data,
            Deadline = machine.Deadline,
            Arguments = ArgumentsOf(layer, tree),
            Like = layer.Runs ? machine : null,
            // The clock of a machine that runs programs has to be right, for certificates. Nobody's time is in what others leave.
            Time = layer.Runs ? null : DateTimeOffset.FromUnixTimeSeconds(Epoch),
            Arch = layer.Runs ? machine.Arch : ApplianceJob.QuickestFor(machine.Arch, tools),
            OnProgress = (fraction, detail) => Progress(layer, fraction, detail),
            OnWarning = warning => observer.Observe(new BuildEvent.Warned($"{layer.Title}: {warning}", layer.Title)),
            OnOutput = line => Keep(printed, layer, line),
        };
        try
        {
            Progress(layer, 0, "starting the appliance");
            log.Information("{Layer}: {Done}", layer.Title, await appliance.RunAsync(job, cancellation));
            return facts;
        }
        catch (CrustException e)
        {
            throw new CrustException(e.Kind, e.What, layer.Spec.Where, RemedyFor(e, layer), e) { Detail = printed.Count > 0 ? string.Join('\n', printed) : e.Detail };
        }
    }

    private static ImmutableArray<string> ArgumentsOf(Layer layer, FileTree? tree) =>
    [
        $"kind={(layer.Runs || layer.Spec is LayerSpec.Vendor ? layer.Spec.Kind : "files")}",
        $"requires={layer.Requires}",
        $"epoch={Epoch}",
        .. tree is not null && !layer.Runs ? new[] { $"space={TreeSpace.Of(tree)}" } : [],
        .. layer.Spec is LayerSpec.Vendor vendor ? new[] { $"vendor={vendor.Id}" } : [],
        .. layer.Sysext?.Profile switch
        {
            SysextProfile.Kairos => new[] { $"volume={SysextPlace.KairosVolume}" },
            SysextProfile.Flatcar => ["flatcar=true", .. tree!.Entries.Where(entry => entry.Path.EndsWith(".ign", StringComparison.Ordinal)).Select(entry => $"ignition={entry.Path}")],
            _ => [],
        },
        .. layer.Spec is LayerSpec.Packages packages ? new[] { $"names={string.Join(' ', packages.Names)}", $"upgrade={(packages.Upgrade ? "true" : "false")}" } : [],
    ];

    private static string RemedyFor(CrustException failure, Layer layer) => failure.Kind is not FailureKind.GuestFailed ? failure.Remedy
        : failure.Remedy.Contains("machine.deadline", StringComparison.Ordinal)
        ? "look at what it printed last, and at the log, for what it waited for; if it only needs longer, raise machine.deadline (--deadline)"
        : layer.Runs ? "mend what it says, then build again: the layers before it are kept; all that it printed is in the build's log" : "mend what it says, then build again";

    private static async Task<string> WriteAsync(FileTree tree, string path, CancellationToken cancellation)
    {
        try
        {
            await using var file = PrivateFile.Create(path);
            await tree.WriteTarAsync(file, Epoch, cancellation);
            return path;
        }
        catch (IOException e)
        {
            throw new CrustException(FailureKind.InputOutput, $"A layer's files can't be packed: {e.Message}", path, "look whether they are still there, and free space on the cache's file system", e);
        }
    }

    private void Keep(Queue<string> printed, Layer layer, string line)
    {
        if (printed.Count == QuotedLines)
        {
            printed.Dequeue();
        }

        printed.Enqueue(line);
        log.Information("{Layer}: {Line}", layer.Title, line);
    }

    private void Progress(Layer layer, double fraction, string detail) => observer.Observe(new BuildEvent.Progressed(Stage.Layers, null, fraction, $"{layer.Title}: {detail}"));
}
