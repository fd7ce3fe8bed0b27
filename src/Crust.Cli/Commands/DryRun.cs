using System.CommandLine;
using Crust.Cli.Progress;
using Crust.Cli.Views;
using Crust.Host;
using Crust.Sanitizing;
using Crust.Seeds;
using Crust.Seeds.Checks;
using Crust.Spec;
using Crust.Verification;

namespace Crust.Cli.Commands;

/// <summary>`crust build --dry-run`: what would be done, and what the installer would be told.</summary>
internal static class DryRun
{
    /// <summary>Tells it; nothing is fetched, booted or written.</summary>
    /// <exception cref="CrustException">The build would end at once: something of the spec or its files is wrong.</exception>
    public static ExitCode Run(BuildSpec spec, CrustServices services, bool json, bool reveal, Redactor hidden, InvocationConfiguration to)
    {
        var forecast = services.Forecaster.Of(spec);
        OutputCheck.Check(spec, forecast.Name, services.Shelf);
        SshLogin.Of(spec, hidden);
        var files = SeedFiles.Read(spec.Seed);
        var findings = SeedReview.Pass(SeedChecks.Check(spec, files, forecast.Profile), spec.Seed.Strict);
        var seed = SeedListing.Of(services.Seeds.Preview(spec, files, forecast.Profile), reveal);
        if (json)
        {
            to.Output.Write(DryRunView.ToJson(spec, forecast, seed, hidden));
        }
        else
        {
            DryRunView.Write(spec, forecast, seed, hidden, to.Output);
        }

        foreach (var warning in findings)
        {
            MessageWriter.Of(to).Warn(CleanText.Line(warning));
        }

        return ExitCode.Done;
    }
}
