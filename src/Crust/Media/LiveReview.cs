using System.Collections.Immutable;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Media;

/// <summary>How much a finding of the preflight counts.</summary>
internal enum LiveGravity
{
    Fine,

    /// <summary>The installer is made, and may not do all that somebody expects.</summary>
    Warning,

    /// <summary>The installer couldn't work.</summary>
    Problem,
}

/// <summary>One thing that was looked at before an installer is made.</summary>
/// <param name="Name">What was looked at, in a word or two: `kernel`, `login`.</param>
/// <param name="What">What was found, as a sentence without a full stop.</param>
internal sealed record LiveFinding(LiveGravity Gravity, string Name, string What)
{
    /// <summary>Where: a key of the spec, a file; null for the base.</summary>
    public string? Where { get; init; }

    /// <summary>What mends it, as an imperative; null if nothing is to be done.</summary>
    public string? Remedy { get; init; }
}

/// <summary>Whether a base and what goes onto the medium make an installer that works: the preflight report, before anything is packed.</summary>
internal static class LiveReview
{
    // dracut's module that mounts the medium; without it, the kernel finds no root.
    private const string Live = "dmsquash-live";

    // Of immucore's and of booting by network.
    private static readonly string[] Expected = ["immucore", "livenet", "network"];

    // What dmsquash-live needs of the kernel (dracut, 90dmsquash-live/module-setup.sh).
    private static readonly string[] Drivers = ["squashfs", "loop", "isofs", "overlay"];

    public static ImmutableArray<LiveFinding> Of(LiveFacts facts, BuildSpec spec, MediumPlan medium) =>
    [
        Kernel(facts),
        .. Initrd(facts),
        .. Loaders(facts),
        .. Arch(facts, spec),
        Agent(facts),
        .. Login(facts, medium),
        .. Config(facts, medium),
        .. Sizes(facts, spec, medium),
    ];

    /// <summary>The warnings among them, each in one line.</summary>
    /// <exception cref="CrustException">There are problems; its message names all of them.</exception>
    public static ImmutableArray<string> Pass(ImmutableArray<LiveFinding> findings, string shown)
    {
        ImmutableArray<LiveFinding> problems = [.. findings.Where(finding => finding.Gravity is LiveGravity.Problem)];
        return problems switch
        {
            [] => [.. findings.Where(finding => finding.Gravity is LiveGravity.Warning).Select(finding =>
                $"{finding.What}{(finding.Remedy is { } remedy ? $". To mend it: {remedy}" : "")}")],
            [var one] => throw new CrustException(FailureKind.BadInput, one.What, one.Where ?? shown, one.Remedy ?? "mend the base image"),
            [var first, ..] => throw new CrustException(FailureKind.BadInput, $"{problems.Length} things keep this from becoming an installer", first.Where ?? shown,
                "mend each, as said below")
            {
                Detail = string.Join('\n', problems.SelectMany(one => new[] { one.What, $"  where: {one.Where ?? shown}",
                    $"  to do: {one.Remedy ?? "mend the base image"}" })),
            },
        };
    }

    private static LiveFinding Kernel(LiveFacts facts)
    {
        var version = facts.KernelVersion is { } known ? $", version {Clean(known)}" : ", whose version isn't known: no folder of modules is called after it";
        var what = $"/{Clean(facts.Kernel)}{version}";
        return facts.OtherKernels.IsEmpty ? Fine("kernel", what)
            : Warn("kernel", $"{what}; there are {facts.OtherKernels.Length} more kernels, which aren't used: {string.Join(", ", facts.OtherKernels.Select(Clean))}",
                "leave one kernel in the base image");
    }

    private static IEnumerable<LiveFinding> Initrd(LiveFacts facts)
    {
        var initrd = $"/{Clean(facts.Initrd)}";
        if (facts.Unreadable is { } why)
        {
            yield return Warn("initramfs", $"{initrd} can't be looked into: {why}; whether dracut's module {Live} is in it isn't known",
                "compress it with zstd, xz or gzip");
            yield break;
        }

        if (!facts.Dracut.Contains(Live))
        {
            var what = facts.Dracut.IsEmpty ? $"{initrd} wasn't made by dracut, and a live system needs dracut's module {Live}"
                : $"{initrd} lacks dracut's module {Live}, which mounts the medium";
            yield return Problem("initramfs", what, "make it in the base image: dracut --no-hostonly --add 'dmsquash-live livenet' --force /boot/initrd VERSION");
            yield break;
        }

        var drivers = Drivers.Where(driver => !facts.Drivers.Contains(driver)).ToList();
        if (drivers.Count > 0)
        {
            yield return Problem("initramfs", $"Neither {initrd} nor the kernel has the drivers {string.Join(", ", drivers)}, which a live system needs",
                "make it in the base image with dracut --no-hostonly, and install all of the kernel's modules first");
        }

        var modules = Expected.Where(module => !facts.Dracut.Contains(module)).ToList();
        yield return modules.Count == 0 ? Fine("initramfs", $"{initrd}, with dracut's modules {Live}, {string.Join(", ", Expected)}")
            : Warn("initramfs", $"{initrd} lacks dracut's modules {string.Join(", ", modules)}, which Kairos' systems have",
                "add them in the base image (dracut --add), if the system is one of Kairos");
    }

    private static IEnumerable<LiveFinding> Loaders(LiveFacts facts)
    {
        if (facts.Shim is not { } shim)
        {
            yield return Warn("boot loaders", $"The base has no shim, so /{Clean(facts.Grub)} is started by the firmware itself: not under Secure Boot",
                "install shim-signed, or shim-x64, in the base image");
        }
        else if (!facts.IsSigned)
        {
            yield return Warn("boot loaders", $"/{Clean(facts.Grub)} isn't signed, and firmware with Secure Boot doesn't start it",
                "install the distribution's signed GRUB in the base image, such as grub-efi-amd64-signed");
        }
        else
        {
            yield return Fine("boot loaders", $"/{Clean(shim)} and /{Clean(facts.Grub)}");
        }
    }

    private static IEnumerable<LiveFinding> Arch(LiveFacts facts, BuildSpec spec)
    {
        var wanted = spec.Machine.Arch.LowerName();
        if (facts.KairosArch is { Length: > 0 } named && named != wanted)
        {
            yield return Problem("architecture", $"The base is for {Clean(named)} (KAIROS_ARCH), and {wanted} is wanted",
                "name a base for it, or set machine.arch (--arch)") with
            { Where = spec.WhereIs("machine.arch") };
        }
    }

    private static LiveFinding Agent(LiveFacts facts) => facts.Agent is { } agent
        ? Fine("agent", $"/{Clean(agent)}{(facts.System.Length > 0 ? $" on {Clean(facts.System)}" : "")}{(facts.IsStylus ? ", with Palette's /opt/spectrocloud" : "")}")
        : Warn("agent", "The base has no agent that would install it: no /usr/bin/kairos-agent",
            "make the base with kairos-init, or add the agent's image; without it, the medium boots a live system that installs nothing");

    // The seed's own rules say what is wrong with its accounts; here it is about what the base brings beside them.
    private static IEnumerable<LiveFinding> Login(LiveFacts facts, MediumPlan medium)
    {
        if (medium.Accounts.IsEmpty && facts.Accounts.IsEmpty && facts.Configs.IsEmpty)
        {
            yield return Warn("login", "Nobody could log in: neither the user-data nor the base has an account with a password or a key",
                "give seed.ssh.user with a password or keys, or users in seed.userData");
            yield break;
        }

        var own = facts.Accounts.IsEmpty ? "" : $"{string.Join(", ", facts.Accounts.Select(Clean))} of the base";
        var told = medium.Accounts.IsEmpty ? "" : $"{string.Join(", ", medium.Accounts.Select(Clean))} of the user-data";
        yield return Fine("login", string.Join("; ", new[] { told, own, own.Length + told.Length == 0 ? "as the base's configuration says" : "" }.Where(part =>
            part.Length > 0)));
    }

    // The agent looks through the whole medium and merges all that has a header; lists would come twice.
    private static IEnumerable<LiveFinding> Config(LiveFacts facts, MediumPlan medium)
    {
        if (medium.Configs is [var first, var second, ..])
        {
            var all = string.Join(", ", medium.Configs.Select(path => $"/{Clean(path)}"));
            yield return Problem("configuration",
                $"The agent would merge {medium.Configs.Length} files of the medium, as each begins with #cloud-config or the like: {all}",
                $"keep one of /{Clean(first)} and /{Clean(second)}: put all into seed.userData, or take the header from what isn't meant for the agent")
                with
            { Where = "seed.userData, seed.files, medium.overlay, medium.edgeConfig" };
        }
        else if (medium.Configs.IsEmpty && facts.Configs.IsEmpty)
        {
            yield return Warn("configuration", "There is no user-data: the installer waits for somebody to configure it", "name a file in seed.userData");
        }
        else
        {
            yield return Fine("configuration", string.Join("; ", medium.Configs.Select(path => $"/{Clean(path)} on the medium").Concat(facts.Configs.Select(path =>
                $"/{Clean(path)} of the base"))));
        }
    }

    private static IEnumerable<LiveFinding> Sizes(LiveFacts facts, BuildSpec spec, MediumPlan medium)
    {
        var least = LiveSizes.MinimumDisk(facts, medium);
        var what = $"The system takes {Size.Format(facts.RootBytes)}, content {Size.Format(medium.ContentBytes)}; a disk needs {Size.Format(least)} or more";
        yield return spec.Origins.ContainsKey("machine.disk") && spec.Machine.Disk < least
            ? Problem("sizes", $"{what}, and the target has {Size.Format(spec.Machine.Disk)}",
                $"set machine.disk to {Size.ToSpecText(least)} or more, or leave content out") with
            { Where = spec.WhereIs("machine.disk") }
            : Fine("sizes", what);
    }

    private static string Clean(string text) => CleanText.Line(text, 200);

    private static LiveFinding Fine(string name, string what) => new(LiveGravity.Fine, name, what);

    private static LiveFinding Warn(string name, string what, string remedy) => new(LiveGravity.Warning, name, what) { Remedy = remedy };

    private static LiveFinding Problem(string name, string what, string remedy) => new(LiveGravity.Problem, name, what) { Remedy = remedy };
}
