using System.CommandLine;
using Crust.Sysexts;
using Crust.Sysexts.Conversion;
using Crust.Trees;

namespace Crust.Cli.Commands;

/// <summary>`crust sysext convert`: extensions from software that was packed for something else.</summary>
internal static class SysextConvertCommand
{
    public static Command Create() => new("convert", "Makes a system extension of software that was packed for something else: torcx, another distribution, or a container.") { Torcx(), Flix(), Flatwrap(), OciRootfs() };

    private static Command Torcx()
    {
        var plan = new SysextPlanOptions(pulls: false);
        var package = new Argument<string>("PACKAGE") { Description = "A package of torcx: a tar archive, compressed or not, a squashfs, or a folder." };
        var name = SysextRootInput.NameOption("those of the package's file, NAME:VERSION.torcx.tgz");
        var command = new Command("torcx", "Lays a torcx package out as an extension: programs, libraries, and what its manifest names.") { package, name };
        plan.AddTo(command);
        command.SetAction((parse, cancellation) => plan.RunAsync(parse,
            () => parse.GetValue(name) is { } given ? RecipeCommand.Parse(given) : TorcxTree.NameOf(parse.GetRequiredValue(package)),
            async (services, wanted, _, scratch, token) =>
            {
                var read = await services.RootSource.ReadPackageAsync(parse.GetRequiredValue(package), scratch, token);
                return new SysextContent(TorcxTree.Build(read.Tree, wanted.Name, parse.GetRequiredValue(package)), read.Parts);
            },
            cancellation));
        return command;
    }

    private static Command Flix()
    {
        var libraries = new Option<string[]>("--library") { Description = "A library that the programs open by name, beside those that they are linked with; may be given several times.", HelpName = "PATH" };
        return OfRoot("flix", "Takes programs of a root with their own loader and libraries, so that they run on any system.", [libraries],
            async (parse, root, request, services, scratch, token) =>
                await FlixTree.BuildAsync(root, request with { Libraries = [.. parse.GetValue(libraries) ?? []] }, services.PatchelfIn(scratch), token));
    }

    private static Command Flatwrap()
    {
        var (etc, var, home) = (Map("--etc-map", "/etc"), Map("--var-map", "/var"), Map("--home-map", "/home and /root"));
        return OfRoot("flatwrap", "Takes a whole root, with wrappers that run programs of it in a mount namespace.", [etc, var, home],
            (parse, root, request, _, _, _) => Task.FromResult(FlatwrapTree.Build(root, request,
                new FlatwrapMaps { Etc = parse.GetValue(etc), Var = parse.GetValue(var), Home = parse.GetValue(home) })));
    }

    private static Command OciRootfs()
    {
        var (plan, source) = (new SysextPlanOptions(), new SysextRootInput());
        var paths = Paths();
        var command = new Command("oci-rootfs", "Takes what lies in /usr and /opt of a root, or paths of it, for systems that have the libraries that it needs.");
        source.AddTo(command);
        command.Add(paths);
        plan.AddTo(command);
        command.SetAction((parse, cancellation) => plan.RunAsync(parse, () => source.NameOf(parse),
            async (services, wanted, pull, scratch, token) =>
            {
                var root = await source.ReadAsync(parse, services, wanted, pull, scratch, token);
                return new SysextContent(RootfsTree.Build(root.Tree, parse.GetValue(paths) ?? [], wanted.Name), root.Parts);
            },
            cancellation));
        return command;
    }

    private static Command OfRoot(string name, string description, Option[] own,
        Func<ParseResult, FileTree, TakeRequest, CrustServices, string, CancellationToken, Task<FileTree>> make)
    {
        var (plan, source) = (new SysextPlanOptions(), new SysextRootInput());
        var programs = new Option<string[]>("--program")
        {
            Description = "A program of the root, and where it goes if not to the same path; may be given several times.",
            HelpName = "PATH[:TARGET]",
            Required = true,
        };
        var units = new Option<string[]>("--unit") { Description = "A unit of the root, which starts with the targets that its [Install] section names; may be given several times.", HelpName = "UNIT" };
        var paths = Paths();
        var command = new Command(name, description);
        source.AddTo(command);
        foreach (var option in new Option[] { programs, units, paths }.Concat(own))
        {
            command.Add(option);
        }

        plan.AddTo(command);
        command.SetAction((parse, cancellation) => plan.RunAsync(parse, () => source.NameOf(parse), async (services, wanted, pull, scratch, token) =>
        {
            var request = new TakeRequest
            {
                Name = wanted.Name,
                Programs = [.. parse.GetRequiredValue(programs).Select(ProgramWish.Parse)],
                Units = [.. parse.GetValue(units) ?? []],
                Paths = [.. parse.GetValue(paths) ?? []],
            };
            var root = await source.ReadAsync(parse, services, wanted, pull, scratch, token);
            return new SysextContent(await make(parse, root.Tree, request, services, scratch, token), root.Parts);
        }, cancellation));
        return command;
    }

    private static Option<string[]> Paths() => new("--path") { Description = "A file or folder of the root that is taken, too, with all in it; may be given several times.", HelpName = "PATH" };

    private static Option<RootMap> Map(string option, string folder) =>
        new(option) { Description = $"Whose {folder} the programs see: the system's own, that of the root, or none.", HelpName = SysextPlanOptions.Words<RootMap>() };
}
