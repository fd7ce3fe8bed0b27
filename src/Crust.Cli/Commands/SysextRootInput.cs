using System.Collections.Immutable;
using System.CommandLine;
using Crust.Spec;
using Crust.Sysexts;
using Crust.Sysexts.Sources;

namespace Crust.Cli.Commands;

/// <summary>The root that something is taken of, as the command line says it.</summary>
internal sealed class SysextRootInput
{
    private readonly Argument<string?> _source = new("ROOT")
    {
        Description = "The root of a system: a folder, a tar archive, compressed or not, or an OCI image: a layout, an archive, or docker://NAME.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _packages = new("--packages") { Description = "Debian packages in place of a root, with commas between them, with all that they depend on.", HelpName = "NAMES" };
    private readonly Option<string> _suite = new("--suite") { Description = "The release of Debian that the packages are of.", HelpName = "NAME" };
    private readonly Option<string> _name = NameOption("the root's base name");
    private readonly Option<string> _run = new("--run") { Description = "A command line that the root's own shell runs first, in a machine.", HelpName = "COMMAND" };
    private readonly Option<MachineNetwork> _network = new("--network")
    {
        Description = "What the command reaches; the internet if nothing is said.",
        HelpName = SysextPlanOptions.Words<MachineNetwork>(),
    };

    /// <summary>The option for an extension's name.</summary>
    /// <param name="without">What it is called after without it.</param>
    public static Option<string> NameOption(string without) =>
        new("--name") { Description = $"Its name, and the version in its file's name; without it, {without}.", HelpName = "NAME[@VERSION]" };

    public void AddTo(Command command)
    {
        command.Add(_source);
        foreach (var option in new Option[] { _packages, _suite, _name, _run, _network })
        {
            command.Add(option);
        }
    }

    /// <summary>The extension's name, and its version where there is one.</summary>
    /// <exception cref="CrustException">No root is named, or two are.</exception>
    public (string Name, string? Version) NameOf(ParseResult parse)
    {
        var (source, packages) = (parse.GetValue(_source), parse.GetValue(_packages));
        if (source is null == packages is null)
        {
            throw new CrustException(FailureKind.BadInput, source is null ? "No root is named" : "It can't be taken of two roots", source ?? "--packages",
                "name a folder, an archive or an image, or packages with --packages");
        }

        if (parse.GetValue(_suite) is { } suite && packages is null)
        {
            throw new CrustException(FailureKind.BadInput, "Only packages are of a release", $"--suite {suite}", "leave it out, or name packages with --packages");
        }

        return parse.GetValue(_name) is { } name ? RecipeCommand.Parse(name) : (source is null ? packages!.Split(',')[0] : SysextInput.BaseName(source), null);
    }

    /// <summary>The root, after the command that is to run in it.</summary>
    /// <param name="pull">How registries are pulled from.</param>
    /// <exception cref="CrustException">It can't be read, or the command failed.</exception>
    public async Task<SystemRoot> ReadAsync(ParseResult parse, CrustServices services, SysextPlan plan, PublishSpec pull, string scratch, CancellationToken cancellation)
    {
        ImmutableArray<string> packages = [.. (parse.GetValue(_packages) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
        var root = await services.RootSource.ReadAsync(parse.GetValue(_source), packages, parse.GetValue(_suite), plan.Arch, pull, scratch, cancellation);
        if (parse.GetValue(_run) is not { } command)
        {
            return root;
        }

        var machine = new MachineSpec { Arch = plan.Arch, Memory = 2L << 30, Network = parse.GetValue(_network) };
        var accelerator = await services.Probe.ChooseAsync(machine.Accelerator, machine.Arch, cancellation);
        return root with { Tree = await services.RootCommand.RunAsync(root, command, machine, accelerator.Used, scratch, cancellation) };
    }
}
