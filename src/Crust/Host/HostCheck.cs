using Crust.Planning;
using Crust.Spec;

namespace Crust.Host;

/// <param name="Forecast">What the build will have to do.</param>
/// <param name="Thoroughly">
/// Whether a person wants to know all: versions too, which cost a process each, and what this build doesn't need. Otherwise it is a build that
/// begins, and its folders are made.
/// </param>
internal sealed record HostQuestion(BuildSpec Spec, BuildForecast Forecast, bool Thoroughly);

/// <summary>A family of checks. It finds out, and changes nothing that matters; it doesn't throw for what it finds.</summary>
internal interface IHostCheck
{
    Task<IReadOnlyList<Finding>> FindAsync(HostQuestion question, CancellationToken cancellation);
}
