using System.Collections.Immutable;

namespace Crust.Reports.Page;

/// <summary>An axis from zero to a round number, with round numbers on it.</summary>
/// <param name="End">The last number.</param>
/// <param name="Ticks">The numbers to write, zero and the end among them where these are round.</param>
internal sealed record Axis(double End, ImmutableArray<double> Ticks)
{
    // Steps of time that people count in, in seconds.
    private static readonly double[] TimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600];

    private static readonly double[] RoundFactors = [1, 2, 5, 10];

    /// <summary>An axis of quantities: steps of 1, 2 or 5 times a power of ten; it ends at a tick.</summary>
    public static Axis Of(double greatest, int steps)
    {
        var rough = Math.Max(greatest, 1e-3) / steps;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = RoundFactors.Select(factor => factor * power).First(step => step >= rough * 0.999);
        var count = (int)Math.Ceiling(greatest / step * 0.999);
        return new(step * Math.Max(1, count), [.. Enumerable.Range(0, Math.Max(1, count) + 1).Select(i => i * step)]);
    }

    /// <summary>An axis of time: it ends with the run, not at a tick.</summary>
    public static Axis OfTime(double seconds, int steps)
    {
        var step = TimeSteps.FirstOrDefault(step => step * steps >= seconds, Math.Ceiling(seconds / steps / 3600) * 3600);
        return new(seconds, [.. Enumerable.Range(0, (int)(seconds / step) + 1).Select(i => i * step)]);
    }

    /// <summary>Where a value lies, in percent.</summary>
    public double Percent(double value) => Math.Clamp(100 * value / End, 0, 100);
}
