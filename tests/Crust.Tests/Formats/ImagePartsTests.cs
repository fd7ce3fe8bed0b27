using System.Collections.Concurrent;
using Crust.Formats;

namespace Crust.Tests.Formats;

[CancelAfter(60_000)]
public sealed class ImagePartsTests
{
    private readonly ConcurrentBag<string> _written = [];

    [SetUp]
    public void SetUp() => _written.Clear();

    [Test]
    public async Task What_several_ask_for_is_made_once()
    {
        var parts = new ImageParts((format, _) => WriteAsync(format));

        var images = await Task.WhenAll(parts.GetAsync("qcow2"), parts.GetAsync("vmdk"), parts.GetAsync("qcow2"));

        Assert.That(images[2], Is.SameAs(images[0]));
        Assert.That(_written, Is.EquivalentTo(new[] { "qcow2", "vmdk" }));
    }

    [Test]
    public async Task An_image_may_ask_for_another_which_is_made_even_if_nobody_else_wants_it()
    {
        var parts = new ImageParts(async (format, parts) =>
        {
            if (format.Name == "vmdk")
            {
                await parts.GetAsync("qcow2");
            }

            return await WriteAsync(format);
        });

        await parts.GetAsync("vmdk");

        Assert.That((await parts.EndAsync()).Select(task => task.Result.Format.Name), Is.EquivalentTo(new[] { "qcow2", "vmdk" }));
    }

    [Test]
    public async Task The_end_waits_for_what_nobody_waits_for_and_tells_of_failures_without_failing()
    {
        using var gate = new SemaphoreSlim(0);
        var parts = new ImageParts(async (format, parts) =>
        {
            if (format.Name == "img")
            {
                throw new IOException("no");
            }

            await gate.WaitAsync(TestContext.CurrentContext.CancellationToken);
            _ = parts.GetAsync("img");
            return await WriteAsync(format);
        });
        _ = parts.GetAsync("vmdk");

        var end = parts.EndAsync();
        Assert.That(end.IsCompleted, Is.False);
        gate.Release();
        var tasks = await end;

        Assert.That(tasks.Select(task => task.Status), Is.EquivalentTo(new[] { TaskStatus.RanToCompletion, TaskStatus.Faulted }));
    }

    private Task<DraftImage> WriteAsync(IImageFormat format)
    {
        _written.Add(format.Name);
        return Task.FromResult(new DraftImage(format, "", 0, "", ""));
    }
}
