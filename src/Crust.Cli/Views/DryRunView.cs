using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Crust.Formats;
using Crust.Planning;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Spec;
using Crust.Verification;

namespace Crust.Cli.Views;

internal static class DryRunView
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>For people: what would be done, then what an installer would be told.</summary>
    public static void Write(BuildSpec spec, BuildForecast forecast, SeedListing seed, Redactor hidden, TextWriter output)
    {
        var write = Names(forecast.ToWrite);
        Line("images", $"{forecast.Name} ({string.Join(", ", spec.Formats)})");
        Line(spec.HasBase ? "base" : "installer", spec.ShownSource + (forecast.BuildsReference || forecast.MakesInstaller ? ", which has to be built" : ""));
        Line("build key", forecast.Key ?? $"unknown until the {Noun(spec)} is there");
        Line(spec.HasBase ? "unpack" : "install", Install(forecast, Noun(spec)));
        Line("to write", write.IsEmpty ? "nothing: all of it is there and unchanged" : string.Join(", ", write));
        WriteProof();
        foreach (var check in forecast.Proof is null ? [] : spec.Verify.Checks)
        {
            Line("", $"check: {CleanText.Line(hidden.Apply(check), int.MaxValue)}");
        }

        if (!spec.HasBase)
        {
            output.WriteLine();
            SeedView.Write(seed, output);
        }

        void WriteProof()
        {
            if (forecast.Proof is not { } proof || PlanOf(spec, proof) is not { Boots.IsEmpty: false } plan)
            {
                Line("to boot", "nothing");
                return;
            }

            foreach (var (format, bus, other) in plan.Boots)
            {
                Line("to boot", $"{format.Name} on {bus.LowerName()}{(other is null ? "" : $", which {other.Name} is made for")}: {spec.Verify.Describe()} "
                    + $"within {Duration.Format(spec.Verify.Deadline)}{(spec.Verify.Boot is VerifyBoot.Auto ? ", else unproven" : "")}");
            }

            if (!plan.Compared.IsEmpty)
            {
                Line("to compare", $"{string.Join(", ", Names(plan.Compared))} with {plan.Boots[0].Format.Name}");
            }
        }

        void Line(string what, string says) => output.WriteLine($"{what,-10} {says}");
    }

    /// <summary>The same as one JSON document.</summary>
    public static string ToJson(BuildSpec spec, BuildForecast forecast, SeedListing seed, Redactor hidden) => new JsonObject
    {
        ["version"] = 1,
        ["name"] = forecast.Name,
        ["formats"] = Array(spec.Formats),
        [spec.HasBase ? "base" : "installer"] = spec.ShownSource,
        ["buildKey"] = forecast.Key,
        ["buildsReference"] = forecast.BuildsReference,
        ["cache"] = forecast.SharedCache,
        ["installs"] = forecast.CachedDisk is not null ? false : forecast.IsCacheKnown && forecast.SharedCache is null ? !forecast.ToWrite.IsEmpty : null,
        ["toWrite"] = Array(Names(forecast.ToWrite)),
        ["verifies"] = forecast.Proof is not null,
        ["verify"] = forecast.Proof is null ? null : spec.Verify.Describe(),
        ["boots"] = new JsonArray([.. (forecast.Proof is { } proof ? PlanOf(spec, proof).Boots : []).Select(boot =>
            new JsonObject { ["format"] = boot.Format.Name, ["diskBus"] = boot.Bus.LowerName() })]),
        ["compares"] = Array(forecast.Proof is { } given ? Names(PlanOf(spec, given).Compared) : []),
        ["checks"] = Array(forecast.Proof is not null ? spec.Verify.Checks.Select(check => CleanText.Line(hidden.Apply(check), int.MaxValue)) : []),
        ["seed"] = JsonNode.Parse(seed.ToJson()),
    }.ToJsonString(Readable) + "\n";

    private static ProofPlan PlanOf(BuildSpec spec, ExpectedProof proof) => ProofPlan.Of(spec.Formats.Select(ImageFormats.Named), proof);

    private static string Noun(BuildSpec spec) => spec.HasBase ? "base image" : "installer";

    private static string Install(BuildForecast forecast, string noun) =>
        forecast.ToWrite.IsEmpty ? "no: nothing has to be written"
        : forecast.CachedDisk is { } bytes ? $"no: the installed disk is cached ({Size.Format(bytes)})"
        : forecast.SharedCache is { } shared ? $"yes, unless {shared} has the disk or the images; it is asked in the build"
        : forecast.IsCacheKnown ? "yes"
        : $"yes, unless the installed disk is cached: nobody knows before the {noun} is there";

    private static ImmutableArray<string> Names(IEnumerable<IImageFormat> formats) => [.. formats.Select(format => format.Name)];

    private static JsonArray Array(IEnumerable<string> names) => new([.. names.Select(name => JsonValue.Create(name))]);
}
