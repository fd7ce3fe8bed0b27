using Crust.Planning;
using Crust.Spec;

namespace Crust.Host;

/// <summary>Finds out all that there is to know about building a spec on this host.</summary>
internal sealed class Doctor(HostChecks checks, Forecaster forecaster)
{
    /// <summary>Runs all checks. Nothing is fetched, built or written, but the result of the accelerator's probe.</summary>
    /// <exception cref="CrustException">The spec can't be built anywhere: its files are missing or wrong.</exception>
    public async Task<Diagnosis> ExamineAsync(BuildSpec spec, CancellationToken cancellation)
    {
        var forecast = forecaster.Of(spec);
        var found = await checks.RunAsync(new HostQuestion(spec, forecast, Thoroughly: true), cancellation);
        return new Diagnosis(forecast.Name, spec, found);
    }
}
