# Compares a report of `echoif study report` with R's own packages, where they are installed:
#
#     Rscript docs/compare_mrmc.R REPORT
#
# iMRMC computes the AUC over readers and its U-statistic variance anew from study.imrmc, MRMCaov and pROC each
# reader's AUC from mrmcaov.csv. It says what was compared and what was not, and ends with status 1 where a
# figure differs by more than rounding.

folder <- commandArgs(trailingOnly = TRUE)
if (length(folder) != 1) stop("give the folder of a report")
tolerance <- 1e-6
compared <- 0
differs <- 0

has <- function(package) {
  there <- requireNamespace(package, quietly = TRUE)
  if (!there) cat(package, "is not installed: not compared\n")
  there
}

compare <- function(what, ours, theirs) {
  compared <<- compared + 1
  same <- isTRUE(abs(ours - theirs) <= tolerance)
  if (!same) differs <<- differs + 1
  cat(sprintf("%-28s %.9f %.9f %s\n", what, ours, theirs, if (same) "same" else "DIFFERS"))
}

if (!has("jsonlite")) quit(status = 0)
summary <- jsonlite::fromJSON(file.path(folder, "summary.json"), simplifyVector = FALSE)
ratings <- read.csv(file.path(folder, "mrmcaov.csv"), colClasses = c(reader = "character"))

if (has("iMRMC")) {
  lines <- readLines(file.path(folder, "study.imrmc"))
  data <- read.csv(text = lines[-seq_len(which(lines == "BEGIN DATA:"))], header = FALSE)
  names(data) <- c("readerID", "caseID", "modalityID", "score")
  for (column in c("readerID", "caseID", "modalityID")) data[[column]] <- factor(data[[column]])
  found <- iMRMC::doIMRMC(data)$Ustat
  compare("AUC over readers", summary$auc$value, found$AUCA[1])
  compare("its variance", summary$auc$variance, found$varAUCA[1])
}

each <- function(package, auc) {
  if (!has(package)) return(invisible())
  for (reader in summary$by_reader) {
    rows <- ratings[ratings$reader == reader$reader, ]
    # The real clips may stand in it once for each treatment.
    rows <- rows[!duplicated(rows$case), ]
    if (is.null(reader$auc$value) || length(unique(rows$truth)) < 2) next
    compare(paste(package, "AUC of", reader$reader), reader$auc$value, auc(rows))
  }
}
each("MRMCaov", function(rows) as.numeric(MRMCaov::empirical_auc(factor(rows$truth), rows$rating)))
each("pROC", function(rows) {
  as.numeric(pROC::auc(rows$truth, rows$rating, levels = c(0, 1), direction = "<", quiet = TRUE))
})

cat(compared, "figures compared,", differs, "differ\n")
quit(status = if (differs > 0) 1 else 0)
