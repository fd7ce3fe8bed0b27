using System.CommandLine;
using Crust.Canvos;
using Crust.Cli.Progress;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust installer --arg-file`: a folder laid out as CanvOS' as the spec of an installer.</summary>
internal sealed class CanvosInstallerRun(CanvosFolder folder, SpecSources sources)
{
    /// <summary>Reads a folder, and tells what the user should know of it.</summary>
    /// <param name="sources">What options and environment say.</param>
    /// <exception cref="CrustException">There is a spec, too; or the folder can't be read, or something in it is wrong or can't be built.</exception>
    public static CanvosInstallerRun Read(ParseResult parse, SpecSources sources, string argFile)
    {
        // A crust.yaml that happens to lie here was not asked for.
        if (sources.IsFileGiven)
        {
            throw new CrustException(FailureKind.BadInput, "Two files say what the installer is made of", $"{sources.File}, --arg-file {argFile}", "name one of them");
        }

        var folder = CanvosFolder.Read(argFile);
        foreach (var finding in folder.Findings)
        {
            MessageWriter.Of(parse).Warn(finding.ToString());
        }

        return new CanvosInstallerRun(folder, sources with { File = null, ForInstaller = true });
    }

    /// <summary>The environment with the folder's proxies, where it names none itself.</summary>
    public HostEnvironment WithProxies(HostEnvironment environment) => environment.WithDefaults(folder.Proxies);

    /// <summary>Builds the system, unless it is in the cache, and gives the spec of the installer that brings it.</summary>
    /// <exception cref="CrustException">A value can't be taken, or the system can't be built.</exception>
    public async Task<BuildSpec> BuildAsync(CrustServices services, ParseResult parse, HostEnvironment environment, CancellationToken cancellation)
    {
        var asked = sources with { Environment = environment.Variables };
        var given = SpecOptions.Read(asked, parse);
        var arch = CanvosInstaller.ArchOf(folder, given.Origins.ContainsKey("machine.arch") ? given.Machine.Arch : null);
        // Before anything is built: what is wrong with the medium is told at once.
        var spec = SpecOptions.Read(asked with { Given = CanvosInstaller.KeysOf(folder, arch) }, parse);
        var system = CanvosInstaller.SystemOf(folder, arch) with { Publish = spec.Publish, Machine = spec.Machine };
        var root = await services.Systems.BuildAsync(system, arch, cancellation);
        return spec with { Base = spec.Base with { Oci = null, Rootfs = root } };
    }
}
