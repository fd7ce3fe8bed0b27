using System.Buffers;
using System.Text;
using System.Text.Json;
using Crust.Machines.Qmp;
using Crust.Sanitizing;
using Crust.Tools;
using Serilog;

namespace Crust.Machines;

/// <summary>Turns what comes from a machine, over QMP, its serial port, the word port and from QEMU's process, into signals. Each pump runs until its source ends.</summary>
/// <param name="signal">Takes the signals, from any thread; each pump waits until its last one was taken.</param>
/// <param name="hidden">Takes secrets out of what the guest says.</param>
internal sealed class MachinePumps(RunningTool qemu, QmpClient qmp, Func<MachineSignal, Task> signal, Redactor hidden, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(1);

    // QEMU tells the emulator to end, and ends a moment later.
    private static readonly TimeSpan TpmGrace = TimeSpan.FromSeconds(1);

    // A guest can make QEMU tell some events, such as read errors of a CD, as often as it likes.
    private const int LoggedEvents = 300;

    // And say as many words on its port.
    private const int LoggedWords = 300;

    /// <summary>How long QEMU may take to answer.</summary>
    public required SilenceLimit Silence { get; init; }

    /// <summary>QMP's events, until the connection is closed; and why, if that was a failure.</summary>
    public async Task EventsAsync()
    {
        var counts = new Dictionary<string, int>();
        await foreach (var happened in qmp.ReadEventsAsync(CancellationToken.None))
        {
            Log(happened, counts[happened.Name] = counts.GetValueOrDefault(happened.Name) + 1);
            if (MachineEvents.Read(happened) is { } seen)
            {
                await signal(seen);
            }
        }

        try
        {
            await qmp.Closed;
        }
        catch (QmpException e)
        {
            await signal(new MachineSignal.QmpBroke(e.Message));
        }
    }

    private void Log(QmpEvent happened, int count)
    {
        if (count <= LoggedEvents)
        {
            log.Debug("QMP event {Name} {Data}", happened.Name, happened.Data.ValueKind is JsonValueKind.Undefined ? "" : happened.Data.GetRawText());
        }

        if (count == LoggedEvents)
        {
            log.Warning("QMP event {Name} came {Count} times; it isn't logged any more", happened.Name, count);
        }
    }

    /// <summary>The serial port's text, which also goes to a log, without secrets, and to <paramref name="text"/>.</summary>
    public async Task SerialAsync(Stream serial, string serialLog, SerialText text)
    {
        using var file = new SerialLog(serialLog, hidden);
        // The log may wait for what follows, to tell whether it is a secret; whoever judges the guest must not.
        await ReadToEndAsync(serial, async bytes =>
        {
            file.Append(bytes);
            await signal(new MachineSignal.Serial(text.Append(bytes.Span)));
        });
    }

    /// <summary>What one of Crust's own guests says. It is cleaned, and secrets are taken out of it, where it is shown or kept.</summary>
    public async Task WordsAsync(Stream word)
    {
        var (unfinished, words) = ("", 0);
        var decoder = Encoding.UTF8.GetDecoder();
        await ReadToEndAsync(word, async bytes =>
        {
            var chars = new char[decoder.GetCharCount(bytes.Span, flush: false)];
            decoder.GetChars(bytes.Span, chars, flush: false);
            var text = unfinished + new string(chars);
            var end = text.LastIndexOf('\n') + 1;
            unfinished = text.Length - end < 1 << 16 ? text[end..] : "";
            foreach (var line in text[..end].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                if (GuestWord.Parse(line) is { } said)
                {
                    // What its programs print goes where the job's owner wants it.
                    if (said is not GuestWord.Output)
                    {
                        LogWord(said, ++words);
                    }

                    await signal(new MachineSignal.Word(said));
                }
            }
        });
        if (words > LoggedWords)
        {
            log.Warning("The guest said {Count} words; those that aren't above aren't logged", words);
        }
    }

    private void LogWord(GuestWord said, int count)
    {
        // How a job ends is always worth a line, and comes once.
        if (count <= LoggedWords || (said is GuestWord.Failed or GuestWord.Done && count <= 2 * LoggedWords))
        {
            log.Information("The guest says {Word}", said);
        }
    }

    private static async Task ReadToEndAsync(Stream stream, Func<ReadOnlyMemory<byte>, Task> onBytes)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(1 << 16);
        try
        {
            await using (stream)
            {
                for (int read; (read = await stream.ReadAsync(buffer)) > 0;)
                {
                    await onBytes(buffer.AsMemory(0, read));
                }
            }
        }
        catch (IOException)
        {
            // The socket of a process that died: the same as its end.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    public async Task ExitAsync()
    {
        var result = await qemu.Ended;
        await signal(new MachineSignal.Exited(result.ExitCode, result.Error));
    }

    /// <summary>The end of the TPM's emulator, if it isn't QEMU's.</summary>
    public async Task TpmExitAsync(RunningTool tpm)
    {
        var result = await tpm.Ended;
        await Task.WhenAny(qemu.Ended, Task.Delay(TpmGrace, time));
        if (!qemu.Ended.IsCompleted)
        {
            await signal(new MachineSignal.TpmEnded(result.ExitCode, result.Error));
        }
    }

    /// <summary>What the guest has written, once a second; and that QEMU doesn't answer any more.</summary>
    public async Task PollAsync(CancellationToken ending)
    {
        using var timer = new PeriodicTimer(PollInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(ending))
            {
                var reply = qmp.ExecuteAsync("query-blockstats", null, ending);
                var silence = new SilenceWatch(Silence, qemu.Id, time);
                while (await Task.WhenAny(reply, Task.Delay(silence.Interval, time, ending)) != reply && !ending.IsCancellationRequested)
                {
                    if (silence.Look() is { } silent)
                    {
                        log.Error("{Silence}", silent);
                        await signal(new MachineSignal.QmpBroke(silent));
                        return;
                    }
                }

                await signal(new MachineSignal.Written(MachineEvents.BytesWritten(await reply), qemu.CpuTime, qemu.WantedTime));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or QmpException)
        {
            // The machine is ending; other pumps tell how.
        }
    }
}
