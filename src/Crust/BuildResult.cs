using System.Collections.Immutable;
using Crust.Reports;

namespace Crust;

/// <param name="Images">The paths of the images that were asked for.</param>
/// <param name="UpToDate">Whether there was nothing to do.</param>
/// <param name="Report">The path of the report; null if there was nothing to do, or it couldn't be written.</param>
internal sealed record BuildResult(Manifest Manifest, ImmutableArray<string> Images, bool UpToDate, string? Report);
