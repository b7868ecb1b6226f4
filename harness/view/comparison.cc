// See comparison.h.
#include "harness/view/comparison.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "harness/view/quantity.h"

namespace heapmark::view {
namespace {

using record::AllocatorFound;
using record::Results;
using stats::Analysis;
using stats::Statistic;

// A figure of one pass on one workload variant, over all allocators.
struct Figure {
  const plan::Metric* metric;
  std::string pass;
  std::map<std::string, const Statistic*> of;  // by allocator label
};

struct Place {
  std::string workload, variant;
  bool operator==(const Place&) const = default;
};

std::vector<Place> places_of(const std::vector<Statistic>& statistics) {
  std::vector<Place> places;
  for (const Statistic& one : statistics) {
    const Place place{one.workload, one.variant};
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
  }
  return places;
}

// The headline figures of a place, each from the one pass that tables show.
std::vector<Figure> headlines(const Results& results, const std::vector<Statistic>& statistics,
                              const Place& place) {
  std::vector<Figure> figures;
  for (const plan::Metric& metric : results.metrics.at(place.workload)) {
    if (!metric.headline) continue;
    Figure figure{&metric, "", {}};
    for (const Statistic& one : statistics) {
      if (!one.shown || one.workload != place.workload || one.variant != place.variant ||
          one.metric != metric.name)
        continue;
      figure.pass = one.pass;
      figure.of[one.allocator] = &one;
    }
    if (!figure.of.empty()) figures.push_back(std::move(figure));
  }
  return figures;
}

Tone tone_of(stats::Verdict verdict) {
  switch (verdict) {
    case stats::Verdict::kBetter:
      return Tone::kGood;
    case stats::Verdict::kWorse:
      return Tone::kBad;
    case stats::Verdict::kEqual:
    case stats::Verdict::kCannotTell:
      return Tone::kDim;
    case stats::Verdict::kDiffers:
      break;
  }
  return Tone::kPlain;
}

// How a figure's failure, absence or value reads in a cell; the mark tells the verdict in one sign.
Cell value_cell(const Figure& figure, const std::string& label, bool with_mark) {
  const auto found = figure.of.find(label);
  if (found == figure.of.end()) return {"", Tone::kDim};
  const Statistic& statistic = *found->second;
  if (!statistic.summary) {
    if (statistic.failed > 0) return {"✗ failed", Tone::kBad};
    return {"not measured", Tone::kDim};
  }
  Cell cell{quantity(statistic.summary->median, figure.metric->unit), Tone::kPlain};
  if (statistic.failed > 0) cell.text = "✗ " + cell.text;
  if (!with_mark) return cell;
  if (!statistic.ratio) {
    cell.text += "  ";
    return cell;
  }
  cell.tone = tone_of(statistic.ratio->verdict);
  switch (statistic.ratio->verdict) {
    case stats::Verdict::kBetter:
      cell.text += " +";
      break;
    case stats::Verdict::kWorse:
      cell.text += " -";
      break;
    case stats::Verdict::kEqual:
      cell.text += " =";
      break;
    case stats::Verdict::kCannotTell:
      cell.text += " ?";
      break;
    case stats::Verdict::kDiffers:
      cell.text += "  ";
      break;
  }
  return cell;
}

Cell ratio_cell(const Figure& figure, const std::string& label) {
  const auto found = figure.of.find(label);
  if (found == figure.of.end() || !found->second->ratio) return {"", Tone::kDim};
  return {ratio_words(found->second->ratio->summary)};
}

Cell verdict_cell(const Figure& figure, const std::string& label, const std::string& baseline,
                  double margin) {
  const auto found = figure.of.find(label);
  if (found == figure.of.end() || !found->second->summary) return {"", Tone::kDim};
  if (label == baseline) return {"baseline", Tone::kDim};
  if (!found->second->ratio) return {"", Tone::kDim};
  const stats::Ratio& ratio = *found->second->ratio;
  return {verdict_words(ratio, *figure.metric, margin), tone_of(ratio.verdict)};
}

std::string column_title(const plan::Metric& metric) {
  std::string title = metric.name;
  std::replace(title.begin(), title.end(), '_', ' ');
  for (const std::string_view unit : {" bytes", " seconds"})
    if (title.ends_with(unit)) title.resize(title.size() - unit.size());
  return title;
}

// Time and peak memory are the two on which people decide: they get the ratio and the words.
bool is_lead(const Figure& figure) {
  return figure.metric->name == "ns_per_op" || figure.metric->name == "wall_seconds" ||
         figure.metric->name == "load_seconds" || figure.metric->name == "rss_peak_bytes";
}

std::vector<Figure> leads_first(std::vector<Figure> figures) {
  std::stable_partition(figures.begin(), figures.end(), is_lead);
  return figures;
}

std::vector<std::string> labels_in(const Results& results, const std::vector<Figure>& figures) {
  std::vector<std::string> labels;
  for (const AllocatorFound& allocator : results.allocators)
    if (std::any_of(figures.begin(), figures.end(),
                    [&](const Figure& f) { return f.of.contains(allocator.label); }))
      labels.push_back(allocator.label);
  return labels;
}

// What names a row: the allocator's label, or in a sweep (one allocator at many settings) its tunables, one a
// column.
std::vector<std::string> name_columns(const Results& results) {
  std::vector<std::string> tunables = stats::swept_tunables(results);
  return tunables.empty() ? std::vector<std::string>{"allocator"} : tunables;
}

std::vector<Cell> name_cells(const Results& results, const std::string& label) {
  const std::vector<std::string> tunables = stats::swept_tunables(results);
  if (tunables.empty()) return {{label}};
  const auto found = std::find_if(results.allocators.begin(), results.allocators.end(),
                                  [&](const AllocatorFound& one) { return one.label == label; });
  std::vector<Cell> cells;
  for (const std::string& tunable : tunables) {
    const auto pair = std::find_if(found->tunables.begin(), found->tunables.end(),
                                   [&](const auto& one) { return one.first == tunable; });
    cells.push_back(pair == found->tunables.end() ? Cell{"default", Tone::kDim} : Cell{pair->second});
  }
  return cells;
}

TextTable lead_table(const Results& results, const Place& place, const std::vector<Figure>& figures,
                     double margin) {
  TextTable table;
  table.title = place.workload + " / " + place.variant;
  table.columns = name_columns(results);
  for (const Figure& figure : figures) {
    table.columns.push_back(column_title(*figure.metric));
    table.columns.push_back("to " + results.asked.baseline + " [95 %]");
    table.columns.push_back("verdict");
  }
  for (const std::string& label : labels_in(results, figures)) {
    auto& row = table.rows.emplace_back(name_cells(results, label));
    for (const Figure& figure : figures) {
      row.push_back(value_cell(figure, label, false));
      row.push_back(ratio_cell(figure, label));
      row.push_back(verdict_cell(figure, label, results.asked.baseline, margin));
    }
  }
  return table;
}

TextTable other_table(const Results& results, const Place& place, const std::vector<Figure>& figures) {
  TextTable table;
  table.title = place.workload + " / " + place.variant + ": further figures";
  table.columns = name_columns(results);
  for (const Figure& figure : figures) table.columns.push_back(column_title(*figure.metric) + "  ");
  for (const std::string& label : labels_in(results, figures)) {
    auto& row = table.rows.emplace_back(name_cells(results, label));
    for (const Figure& figure : figures) row.push_back(value_cell(figure, label, true));
  }
  return table;
}

// What failed and why, then what trials noted, each once.
std::vector<std::string> notes_of(const Results& results, const Place& place) {
  std::vector<std::string> lines;
  std::map<std::string, std::size_t> times;
  for (const auto& [spec, result, host] : results.records) {
    if (spec.workload != place.workload || spec.variant != place.variant) continue;
    if (result.outcome == trial::Outcome::kOk) continue;
    const std::string line =
        fmt::format("✗ {}, {} pass: {}{}{}", spec.allocator, spec.pass, record::outcome_name(result.outcome),
                    result.message.empty() ? "" : ": ", result.message);
    if (times[line]++ == 0) lines.push_back(line);
  }
  for (std::string& line : lines)
    if (times[line] > 1) line += fmt::format(" ({} trials)", times[line]);
  for (const auto& [spec, result, host] : results.records)
    if (spec.workload == place.workload && spec.variant == place.variant)
      for (const std::string& note : result.notes)
        if (std::find(lines.begin(), lines.end(), "! " + note) == lines.end()) lines.push_back("! " + note);
  return lines;
}

// Under which conditions the pressure pass was measured; "" where it was not.
std::string pressure_words(const Results& results) {
  for (const auto& [spec, result, host] : results.records) {
    if (!result.pressure) continue;
    const trial::PressureFacts& facts = *result.pressure;
    std::string words =
        fmt::format("Pressure pass: \"@0.9\" is a limit of 0.9 of {}'s peak without one; cgroup {}, swap: {}",
                    results.asked.baseline, facts.cgroup, facts.swap);
    if (!facts.why_no_swap.empty()) words += fmt::format(" ({})", facts.why_no_swap);
    words += facts.stalls_of.empty() ? "; this kernel keeps no account of stalls"
                                     : fmt::format("; stall shares are of the {}", facts.stalls_of);
    return words + ".";
  }
  return "";
}

}  // namespace

std::string percent(double share) {
  return fmt::format("{:.3g} %", share * 100);
}

std::string ratio_words(const stats::Summary& ratio) {
  if (!ratio.interval) return fmt::format("{:.2f}", ratio.median);
  // Narrow intervals would read [0.64, 0.64].
  const int decimals = ratio.interval->high - ratio.interval->low < 0.1 && ratio.interval->high < 10 ? 3 : 2;
  return fmt::format("{:.{}f} [{:.{}f}, {:.{}f}]", ratio.median, decimals, ratio.interval->low, decimals,
                     ratio.interval->high, decimals);
}

std::string verdict_words(const stats::Ratio& ratio, const plan::Metric& metric, double margin) {
  const bool time = is_time(metric.unit), memory = metric.unit == "bytes";
  switch (ratio.verdict) {
    case stats::Verdict::kBetter:
      return time ? "faster" : memory ? "less" : "better";
    case stats::Verdict::kWorse:
      return time ? "slower" : memory ? "more" : "worse";
    case stats::Verdict::kEqual:
      return "equal within " + percent(margin);
    case stats::Verdict::kDiffers:
      return "differs";
    case stats::Verdict::kCannotTell:
      break;
  }
  if (ratio.more_rounds)
    return fmt::format("cannot tell, +{} round{}", *ratio.more_rounds, *ratio.more_rounds == 1 ? "" : "s");
  return ratio.summary.count == 1 ? "cannot tell: one round" : "cannot tell";
}

std::vector<TextTable> comparison_tables(const Results& results, const Analysis& analysis) {
  const std::vector<Statistic>& statistics = analysis.statistics;
  std::vector<TextTable> tables;
  for (const Place& place : places_of(statistics)) {
    std::vector<Figure> leads = headlines(results, statistics, place), others;
    const auto split = std::stable_partition(leads.begin(), leads.end(), is_lead);
    others.assign(split, leads.end());
    leads.erase(split, leads.end());
    const std::size_t before = tables.size();
    if (!leads.empty()) tables.push_back(lead_table(results, place, leads, analysis.margin));
    if (!others.empty()) tables.push_back(other_table(results, place, others));
    if (tables.size() > before) tables.back().notes = notes_of(results, place);
  }
  return tables;
}

TextTable overview_table(const Results& results, const Analysis& analysis) {
  const std::vector<Statistic>& statistics = analysis.statistics;
  TextTable table{"In short", {"median"}, {}, {}};
  std::vector<std::string> labels;
  for (const AllocatorFound& allocator : results.allocators)
    if (allocator.skipped.empty()) labels.push_back(allocator.label);
  table.columns.insert(table.columns.end(), labels.begin(), labels.end());
  for (const Place& place : places_of(statistics))
    for (const Figure& figure : leads_first(headlines(results, statistics, place))) {
      const bool of_pressure = figure.pass == "pressure" && figure.metric->name == "major_faults";
      if (figure.pass == "ledger" || (figure.metric->name.ends_with("_faults") && !of_pressure)) continue;
      auto& row = table.rows.emplace_back();
      row.push_back({place.workload + "/" + place.variant + " " + column_title(*figure.metric)});
      for (const std::string& label : labels) row.push_back(value_cell(figure, label, true));
    }
  return table;
}

std::vector<std::string> comparison_notes(const Results& results, double margin) {
  std::vector<std::string> notes;
  notes.push_back(
      "Medians over the rounds; in brackets the 95 % interval of the ratio within the same round.");
  notes.push_back(
      fmt::format("Compared with {}: + better, - worse, = equal within {}, ? cannot tell yet; no mark: "
                  "no ratio can be formed, or neither direction is better. ✗ a trial failed.",
                  results.asked.baseline, percent(margin)));
  for (const AllocatorFound& allocator : results.allocators) {
    if (!allocator.skipped.empty()) notes.push_back(allocator.label + " was skipped: " + allocator.skipped);
    if (allocator.summary.starts_with("given by its path"))
      notes.push_back(fmt::format("{}: {}, version {}, build id {}.", allocator.label, allocator.library,
                                  allocator.version.empty() ? "not known" : allocator.version,
                                  allocator.build_id.empty() ? "none" : allocator.build_id));
    if (!allocator.not_for_use.empty())
      notes.push_back(allocator.label + " is a lower bound, no allocator to use: " + allocator.not_for_use);
  }
  if (const std::string words = pressure_words(results); !words.empty()) notes.push_back(words);
  const auto failed =
      std::count_if(results.records.begin(), results.records.end(),
                    [](const record::Record& one) { return one.result.outcome != trial::Outcome::kOk; });
  if (failed > 0) notes.push_back(fmt::format("{} of {} trials failed.", failed, results.records.size()));
  return notes;
}

}  // namespace heapmark::view
