using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Crust.Cli.Progress;
using Crust.Spec;
using Crust.Storage;
using Crust.Sysexts;

namespace Crust.Cli.Commands;

/// <summary>For which systems an extension is and how it is packed, as the command line says it; the same for all commands that make one.</summary>
internal sealed class SysextPlanOptions
{
    private readonly Option<string> _os = new("--os") { Description = "The ID of the systems that it is for, or _any.", HelpName = "ID" };
    private readonly Option<string> _level = new("--level") { Description = "Their SYSEXT_LEVEL.", HelpName = "LEVEL" };
    private readonly Option<string> _version = new("--os-version") { Description = "Their VERSION_ID.", HelpName = "VERSION" };
    private readonly Option<Arch> _arch = new("--arch") { Description = "The architecture of the programs in it.", HelpName = Words<Arch>() };
    private readonly Option<SysextProfile> _profile = Profile();
    private readonly Option<SysextFormat> _format = new("--format") { Description = "How it is packed.", HelpName = Words<SysextFormat>() };
    private readonly Option<string> _key = Key();
    private readonly Option<string> _certificate = Certificate();
    private readonly Option<bool> _reload = new("--reload") { Description = "Have systemd read its units again after a merge (systemd 255 and later)." };
    private readonly Option<long?> _epoch = new("--epoch") { Description = "The time of all files in it, in seconds since 1970 (SOURCE_DATE_EPOCH, 0 otherwise).", HelpName = "SECONDS" };
    private readonly SpecOptions _spec;
    private readonly Option<string> _output = CommonOptions.Output();
    private readonly Option<bool> _json = CommonOptions.Json();
    private readonly Option<bool> _quiet = CommonOptions.Quiet();

    /// <param name="pulls">Whether what it is made of may be in a registry.</param>
    public SysextPlanOptions(bool pulls = true)
    {
        _output.Description = "The folder for the extension.";
        _spec = new SpecOptions(key => key.Path.StartsWith("sign.", StringComparison.Ordinal) || (pulls && SpecOptions.PullKeys.Contains(key.Path)));
    }

    public static Option<string> Key() => new("--key") { Description = "The private key (PEM, RSA) that signs a ddi.", HelpName = "FILE" };

    public static Option<string> Certificate() => new("--certificate") { Description = "The key's certificate (PEM), which machines have in /etc/verity.d.", HelpName = "FILE" };

    public static Option<SysextProfile> Profile() => new("--profile") { Description = "The kind of system that it is for.", HelpName = Words<SysextProfile>() };

    public static string Words<TEnum>()
        where TEnum : struct, Enum => string.Join('|', Enum.GetValues<TEnum>().Select(value => value.LowerName()));

    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { _os, _level, _version, _arch, _profile, _format, _key, _certificate, _reload, _epoch, _output, _json, _quiet })
        {
            command.Add(option);
        }

        _spec.AddOptionsTo(command);
    }

    /// <summary>Builds an extension and prints what was built.</summary>
    /// <param name="name">The extension's name, and its version where there is one.</param>
    /// <param name="read">Makes its content: of the services, the plan, how registries are pulled from, and a folder that is there until the extension is built.</param>
    public async Task<int> RunAsync(ParseResult parse, Func<(string Name, string? Version)> name, Func<CrustServices, SysextPlan, PublishSpec, string, CancellationToken, Task<SysextContent>> read, CancellationToken cancellation)
    {
        var environment = HostEnvironment.Take();
        await using var view = ProgressView.Create(environment, parse.GetValue(_quiet), MessageWriter.Of(parse));
        await using var services = new CrustServices(environment, parse.GetRequiredValue(_output), view, MessageWriter.Of(parse).Hidden);
        var (called, version) = name();
        var plan = new SysextPlan
        {
            Name = called,
            Version = version,
            Profile = parse.GetValue(_profile),
            Level = parse.GetValue(_level),
            OsVersion = parse.GetValue(_version),
            Arch = parse.GetValue(_arch),
            Reload = parse.GetValue(_reload),
            Format = parse.GetValue(_format),
            Signer = SignerOf(parse.GetValue(_format), parse.GetValue(_key), parse.GetValue(_certificate)),
            Epoch = EpochOf(parse.GetValue(_epoch), environment),
        }.For(parse.GetValue(_os));
        var spec = _spec.Read(parse, environment);
        var sign = spec.Sign;
        await services.SysextAttestor.TryKeyAsync(sign, cancellation);
        using var scratch = new ScratchFolder(services.Folders.Cache);
        var content = await read(services, plan, spec.Publish, scratch.Path, cancellation);
        var built = await services.SysextBuilder.BuildAsync(plan, content, sign, services.Folders.Images, cancellation);
        await view.DisposeAsync();
        foreach (var warning in built.Warnings)
        {
            MessageWriter.Of(parse).Warn(warning.ToLine());
        }

        parse.InvocationConfiguration.Output.WriteLine(parse.GetValue(_json)
            ? new JsonObject
            {
                ["file"] = built.Path,
                ["bytes"] = built.Length,
                ["sha256"] = built.Sha256,
                ["documents"] = new JsonArray([.. built.Documents.Select(document => (JsonNode)document)]),
            }.ToJsonString()
            : $"{built.Sha256}  {built.Path}");
        return (int)ExitCode.Done;
    }

    /// <summary>The key and the certificate that sign a disk image.</summary>
    /// <param name="format">The format; null where each extension has its own.</param>
    /// <exception cref="CrustException">One of them is missing, or the format has no signature.</exception>
    public static (string Key, string Certificate)? SignerOf(SysextFormat? format, string? key, string? certificate) => (key, certificate) switch
    {
        (null, null) => null,
        _ when format is not (SysextFormat.Ddi or null) => throw new CrustException(FailureKind.BadInput, $"A {format.Value.LowerName()} has no place for a signature", "--key", "use --format ddi"),
        ({ } file, { } of) => (file, of),
        _ => throw new CrustException(FailureKind.BadInput, "A signature takes a key and its certificate", key is null ? "--certificate" : "--key", "give both: --key FILE --certificate FILE"),
    };

    private static long EpochOf(long? given, HostEnvironment environment)
    {
        var text = environment.Variables.GetValueOrDefault("SOURCE_DATE_EPOCH");
        var epoch = given ?? (text is null or "" ? 0 : long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var parsed) ? parsed : -1);
        // squashfs has 32 bits for it.
        return epoch is >= 0 and <= uint.MaxValue ? epoch
            : throw new CrustException(FailureKind.BadInput, $"'{(given is null ? text : epoch)}' is no time in seconds since 1970", given is null ? "SOURCE_DATE_EPOCH" : "--epoch", $"write a number from 0 to {uint.MaxValue}");
    }
}
