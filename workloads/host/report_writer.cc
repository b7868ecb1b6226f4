// See report_writer.h.
#include "workloads/host/report_writer.h"

#include <unistd.h>

#include <cstring>

#include "workloads/context.h"
#include "workloads/text.h"

namespace heapmark {
namespace {

Report* into;  // one process runs one trial, so there is one

}  // namespace

int Context::open_table(const char* name, std::initializer_list<const char*> columns, std::uint32_t max_rows,
                        bool with_texts) {
  Report& report = *into;
  if (report.table_count == kMaxTables || columns.size() > kMaxColumns ||
      report.cell_count + columns.size() * max_rows > kMaxCells ||
      (with_texts && report.text_count + max_rows > kMaxTexts))
    host::defect_of_workload("a table larger than the report:", name);
  const int index = static_cast<int>(report.table_count++);
  ReportTable& table = report.tables[index];
  host::copy_name(table.name, name);
  for (const char* column : columns) host::copy_name(table.columns[table.column_count++], column);
  table.max_rows = max_rows;
  table.first_cell = report.cell_count;
  report.cell_count += table.column_count * max_rows;
  table.first_text = kNoTexts;
  if (with_texts) {
    table.first_text = report.text_count;
    report.text_count += max_rows;
  }
  return index;
}

void Context::phase(const char* name) {
  Report& report = *into;
  std::uint32_t index = 0;
  while (index < report.phase_count && std::strncmp(report.phase_names[index], name, kNameSize - 1) != 0)
    ++index;
  if (index == report.phase_count) {
    if (index == kMaxPhaseNames) host::defect_of_workload("more phases than the report holds, at", name);
    host::copy_name(report.phase_names[report.phase_count++], name);
  }
  report.phase.store(index, std::memory_order_relaxed);
}

void Context::add_row(int index, std::initializer_list<double> cells, const char* text) {
  Report& report = *into;
  ReportTable& table = report.tables[index];
  if (table.row_count == table.max_rows) {
    ++table.dropped_rows;
    return;
  }
  double* to = report.cells + table.first_cell + table.row_count * table.column_count;
  const double* from = cells.begin();
  for (std::uint32_t column = 0; column < table.column_count; ++column)
    *to++ = from != cells.end() ? *from++ : kNotMeasured;
  if (text != nullptr && table.first_text != kNoTexts) {
    char* place = report.texts[table.first_text + table.row_count];
    std::strncpy(place, text, kTextSize - 1);
    place[kTextSize - 1] = '\0';
  }
  ++table.row_count;
}

void Context::metric(const char* name, double value) {
  Report& report = *into;
  if (report.metric_count == kMaxMetrics)
    host::defect_of_workload("more metrics than the report holds, at", name);
  ReportMetric& metric = report.metrics[report.metric_count++];
  host::copy_name(metric.name, name);
  metric.value = value;
}

namespace host {

void write_into(Report& report) {
  into = &report;
}

void copy_name(char (&to)[kNameSize], const char* from) {
  std::strncpy(to, from, kNameSize - 1);
  to[kNameSize - 1] = '\0';
}

void defect_of_workload(const char* what, const char* name) {
  Message message;
  message.add("defect of the workload: ").add(what).add(" ").add(name).add("\n");
  (void)!write(STDERR_FILENO, message.c_str(), message.size());
  _exit(2);
}

}  // namespace host
}  // namespace heapmark
