using System.CommandLine;
using System.Text.Json.Nodes;
using Crust.Attestation;
using Crust.Cli.Progress;
using Crust.Sanitizing;
using Crust.Spec;

namespace Crust.Cli.Commands;

/// <summary>`crust verify --signature`: whether images are those of a provenance that somebody has signed.</summary>
internal static class CheckSignature
{
    public static async Task<int> RunAsync(IEnumerable<string> images, string keys, HostEnvironment environment, bool json, InvocationConfiguration to, CancellationToken cancellation)
    {
        await using var services = new CrustServices(environment, "images", new Silence(), MessageWriter.Of(to).Hidden);
        var checks = new List<(string Image, CheckedImage? Good, CrustException? Failure)>();
        // One image that isn't what it should be says nothing about the next.
        foreach (var image in images)
        {
            try
            {
                checks.Add((image, await services.ImageCheck.CheckAsync(image, keys, cancellation), null));
            }
            catch (CrustException e)
            {
                checks.Add((image, null, e));
                MessageWriter.Of(to).Fail(e);
            }
        }

        to.Output.Write(json
            ? new JsonArray([.. checks.Select(check => ToJson(check.Image, check.Good, check.Failure))]).ToJsonString() + "\n"
            : string.Concat(checks.Select(check =>
                CleanText.Line($"{check.Image}: {(check.Good is { } good ? $"signed by {good.By.Signer}, {good.By.Key}" : "not as it was signed")}", int.MaxValue) + "\n")));
        return checks.Select(check => check.Failure).OfType<CrustException>().Select(failure => (int)failure.Kind).FirstOrDefault((int)ExitCode.Done);
    }

    private static JsonObject ToJson(string image, CheckedImage? good, CrustException? failure) => new()
    {
        ["file"] = CleanText.Block(image),
        ["signed"] = good is not null,
        ["signer"] = good is null ? null : CleanText.Line(good.By.Signer),
        ["key"] = good?.By.Key,
        ["digest"] = good?.Digest,
        ["provenance"] = good?.Provenance,
        ["error"] = failure is null ? null : CleanText.Line(failure.What),
    };
}
