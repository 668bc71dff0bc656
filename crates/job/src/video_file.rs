//! From a video file's name to its redacted copy under another name.

use std::path::Path;
use std::thread;

use placet_core::Pts;
use placet_ingest::Tools;
use placet_ingest::video::{
    AudioStream, Codec, Container, EncodeSpec, Encoder, Expected, FileStamp, MediaInfo, check_written,
    expected_pts, hides_edges, probe_with_packets, tag_in_sound,
};
use placet_record::manifest::FrameRate;

use crate::masks::check_regions;
use crate::video::{Done, Source, run};
use crate::{Audio, FileFacts, JobError, Mode, Models, Outcome, Pending, Settings, Watch, clean};

/// Hides the faces in the video `input` and writes the checked result to `output`, for the caller to commit.
///
/// # Errors
/// [`JobError`]; then `output` is to be dropped.
pub fn redact_video(
    tools: &Tools,
    models: &Models,
    settings: &Settings,
    input: &Path,
    output: &Pending,
    watch: &dyn Watch,
) -> Result<Outcome, JobError> {
    let (info, all) = probe_with_packets(tools, input)?;
    let container = Container::for_extension(output.target())
        .ok_or_else(|| JobError::Container(output.target().to_owned()))?;
    let codec = choose_codec(container, settings, &info)?;
    let audio = audio_streams(container, settings, &info)?;
    if !audio.is_empty()
        && let Some((codec, kind)) = tag_in_sound(tools, &info)?
    {
        return Err(JobError::SoundTag { codec, kind });
    }
    if hides_edges(&info.path) {
        watch.note(
            "the file tells players to hide some of the picture's edges, and the output shows them: faces there are \
             hidden like all others; --region hides the rest",
        );
    }
    for line in left_out(&info, settings) {
        watch.note(&line);
    }
    let expected = expected_pts(&all);
    let frame_rate = frame_rate(&info, &expected);
    let has_sound = !audio.is_empty();
    let seconds = expected.first().zip(expected.last()).map_or(0.0, |(a, b)| {
        info.video.time_base.seconds(Pts(b.0.saturating_sub(a.0))) + 1.0 / frame_rate.1
    });
    check_regions(&settings.manual, info.video.rotation.upright(info.video.size), seconds)?;
    let spec = EncodeSpec {
        preset: settings.preset.clone(),
        crf: settings.crf,
        hasty: settings.mode == Mode::Fast,
        ..EncodeSpec::like(&info, output.path(), container, codec, audio.clone(), settings.keep_metadata)
    };
    let source = Source {
        tools,
        info: &info,
        packets: &all,
        first: expected.first().copied().unwrap_or(Pts(0)),
        total: expected.len() as u64,
        frame_rate: frame_rate.1,
    };
    let (done, facts) = thread::scope(|scope| {
        let digest = scope.spawn(|| FileFacts::read(&info.path));
        let done = redact(&source, models, settings, spec, watch);
        let facts =
            digest.join().unwrap_or_else(|_| Err(std::io::Error::other("the digest's thread panicked")));
        let facts = facts.map_err(|source| JobError::Read { path: input.to_owned(), source });
        Ok::<_, JobError>((done?, facts?))
    })?;
    if FileStamp::of(&info.path).ok() != Some(info.stamp) {
        return Err(JobError::InputChanged(input.to_owned()));
    }
    let ledger = done.ledger;
    let frames = ledger.judged + ledger.whole_frames();
    let first_last = ledger.times.first().copied().zip(ledger.times.last().copied());
    if !done.read_back {
        check_written(tools, output.path(), &Expected::like(&info, &ledger.times, audio.len()))?;
    }
    let output_facts =
        output.facts().map_err(|source| JobError::Read { path: output.path().to_owned(), source })?;
    let (first, end) = first_last.map_or((Pts(0), 0.0), |(a, b)| {
        (a, info.video.time_base.seconds(b) - info.video.time_base.seconds(a) + 1.0 / frame_rate.1)
    });
    let start = info.video.time_base.seconds(first);
    let times_ms = ledger
        .times
        .iter()
        .map(|&p| ((info.video.time_base.seconds(p) - start) * 1000.0).round().max(0.0) as u32)
        .collect();
    watch.progress(frames, Some(frames), ledger.tracks.len());
    Ok(Outcome {
        input: facts,
        output: output_facts,
        size: info.video.size,
        rotation: info.video.rotation,
        frames,
        duration_ms: (end * 1000.0).round() as u64,
        frame_rate: frame_rate.0,
        detector_input: done.detector_input,
        margins_s: done.margins_s,
        container: container.muxer().to_owned(),
        codec: codec.name().to_owned(),
        times_ms,
        ledger,
        has_sound,
    })
}

/// Copies what may be copied where the settings ask for it, and encodes the rest.
fn redact(
    source: &Source<'_>,
    models: &Models,
    settings: &Settings,
    spec: EncodeSpec,
    watch: &dyn Watch,
) -> Result<Done, JobError> {
    // Of two fields each is looked at, and the survey of what may be copied knows whole frames only.
    if settings.copy_clean && source.info.video.fields.interlaced() {
        watch.note("nothing is copied, all is encoded: it is interlaced");
    } else if settings.copy_clean
        && let Some(done) = clean::redact(source, models, settings, &spec, watch)?
    {
        return Ok(done);
    }
    let encoder = Encoder::create(source.tools, spec)?;
    run(source, models, settings, Box::new(encoder), None, watch)
}

fn choose_codec(container: Container, settings: &Settings, info: &MediaInfo) -> Result<Codec, JobError> {
    let Some(wanted) = settings.codec else { return Ok(container.default_codec(info)?) };
    match container.refuse(wanted, info.video.size, info.video.fields.interlaced()) {
        Some(refusal) => Err(refusal.into()),
        None => Ok(wanted),
    }
}

fn audio_streams(
    container: Container,
    settings: &Settings,
    info: &MediaInfo,
) -> Result<Vec<AudioStream>, JobError> {
    if settings.audio == Audio::Drop {
        return Ok(Vec::new());
    }
    if let Some(a) = container.first_refused_audio(&info.audio) {
        return Err(JobError::Audio { codec: a.codec_name.clone(), container: container.muxer() });
    }
    Ok(info.audio.clone())
}

/// What of the input is not in the output, told once.
fn left_out(info: &MediaInfo, settings: &Settings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut say = |n: usize, what: &str, why: &str| match n {
        0 => {}
        1 => lines.push(format!("left out: 1 {what} ({why})")),
        n => lines.push(format!("left out: {n} {what}s ({why})")),
    };
    say(info.other_videos, "further video stream", "it would be clear; redact each as a file of its own");
    say(info.attached_pictures, "cover picture", "it may show a face");
    say(info.subtitles, "subtitle stream", "drones and cameras write places into them");
    say(info.data, "data stream", "cameras write places into them");
    if settings.keep_metadata {
        let tags: Vec<&str> = std::iter::once(&info.picture_tags)
            .chain(info.audio.iter().map(|a| &a.picture_tags))
            .flatten()
            .map(String::as_str)
            .collect();
        say(tags.len(), "tag", &format!("{}; a picture may be in it", tags.join(", ")));
        say(
            if info.picture_in_chapters { info.chapters } else { 0 },
            "chapter mark",
            "a picture may be in their names",
        );
    }
    if !settings.keep_metadata && !info.identifying_tags.is_empty() {
        say(
            info.identifying_tags.len(),
            "tag",
            &format!("{}; -m keeps them", info.identifying_tags.join(", ")),
        );
    }
    lines
}

/// The average rate, as a fraction where the file gives one and as a number in any case.
fn frame_rate(info: &MediaInfo, expected: &[Pts]) -> (Option<FrameRate>, f64) {
    if let Some(r) = info.video.average_rate.filter(|r| (0.01..=1000.0).contains(&r.value())) {
        return (FrameRate::new(r.num, r.den), r.value());
    }
    let span = match (expected.first(), expected.last()) {
        (Some(&a), Some(&b)) => info.video.time_base.seconds(b) - info.video.time_base.seconds(a),
        _ => 0.0,
    };
    let rate = if span > 0.0 { (expected.len() - 1) as f64 / span } else { 25.0 };
    (FrameRate::new((rate * 1000.0).round() as u32, 1000), rate)
}
