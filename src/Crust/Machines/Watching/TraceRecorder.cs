using System.Collections.Immutable;

namespace Crust.Machines.Watching;

/// <summary>Collects a run's course for its report. However long the run, it keeps at most some hundred samples: beyond that every second one is dropped.</summary>
internal sealed class TraceRecorder
{
    internal const int Most = 400;

    private readonly List<TraceSample> _samples = [];
    private readonly List<double> _boots = [0];
    private readonly Lock _lock = new();
    private double _interval;
    private int _resets;

    public void Observe(MachineSignal signal, MachineFacts facts, TimeSpan elapsed)
    {
        lock (_lock)
        {
            var now = Math.Round(elapsed.TotalSeconds, 1);
            if (facts.Resets > _resets)
            {
                _resets = facts.Resets;
                if (_boots.Count < Most)
                {
                    _boots.Add(now);
                }
            }

            if (signal is MachineSignal.Written written && (_samples.Count == 0 || now - _samples[^1].Seconds >= _interval))
            {
                _samples.Add(new TraceSample(now, written.Bytes, Math.Round(written.CpuTime.TotalSeconds, 1)));
                if (_samples.Count >= Most)
                {
                    Thin();
                }
            }
        }
    }

    public InstallTrace Trace(ImmutableArray<TraceScreen> screens)
    {
        lock (_lock)
        {
            return new InstallTrace { Samples = [.. _samples], Boots = [.. _boots], Screens = screens };
        }
    }

    private void Thin()
    {
        // A look comes once a second.
        _interval = Math.Max(1, _interval) * 2 - 0.5;
        var kept = _samples.Where((_, index) => index % 2 == 0).ToList();
        _samples.Clear();
        _samples.AddRange(kept);
    }
}
