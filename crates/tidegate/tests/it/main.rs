//! Claims about the binary as people and supervisors meet it: settings, verbs, signals, words.

#[cfg(test)]
mod account;
#[cfg(test)]
mod brief;
#[cfg(test)]
mod command;
#[cfg(test)]
mod config;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod goodbye;
#[cfg(test)]
mod help;
#[cfg(test)]
mod job;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod signals;
#[cfg(test)]
mod support;
#[cfg(test)]
mod talk;
