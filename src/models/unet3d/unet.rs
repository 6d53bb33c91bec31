use super::UnetConfig;
use super::blocks::{Down, Extras, OverTime, ResnetBlock, Widths};
use super::conditioning::{EfConditioning, TimeEmbedding};
use super::pass::{EfTokens, Inputs, Pass};
use crate::nn::attention::MiddleAttention;
use crate::nn::conv::SpatialConv;
use crate::nn::embed::CrossEmbed;
use crate::nn::norm::LastNorm;
use crate::nn::scale::Upsample;
use crate::nn::{Interrupt, Params, Replay, join, resize};
use candle_core::{Result, Tensor};
use std::sync::{Mutex, PoisonError};

/// The two middle blocks attend with these, whatever the configuration says: as published.
const MIDDLE_CROSS: (usize, usize) = (8, 64);

struct DownLevel {
    before: Option<Down>,
    init: ResnetBlock,
    blocks: Vec<ResnetBlock>,
    over_time: OverTime,
    after: Option<Down>,
}

struct UpLevel {
    init: ResnetBlock,
    blocks: Vec<ResnetBlock>,
    over_time: OverTime,
    up: Option<Upsample>,
}

/// The denoising network of one stage (Reynaud et al. 2023; Ho et al., *Imagen Video*, 2022).
pub struct Unet {
    config: UnetConfig,
    init_conv: CrossEmbed,
    /// The same for the conditioning channels and for the video by themselves.
    parted: Option<Parted>,
    init_over_time: OverTime,
    time: TimeEmbedding,
    lowres_time: Option<TimeEmbedding>,
    ef: EfConditioning,
    norm_cond: LastNorm,
    init_block: Option<ResnetBlock>,
    downs: Vec<DownLevel>,
    mid_block1: ResnetBlock,
    mid_attention: Option<MiddleAttention>,
    mid_over_time: OverTime,
    mid_block2: ResnetBlock,
    ups: Vec<UpLevel>,
    final_block: ResnetBlock,
    final_conv: SpatialConv,
    replay: Replay,
}

/// The input layer in two parts. What conditions is one frame: it is convolved once, not in each frame. The
/// noisy video's part is kept, because the first evaluation of the next EF starts from the same noise.
struct Parted {
    cond: CrossEmbed,
    video: CrossEmbed,
    last: Mutex<Option<(Vec<f32>, Tensor)>>,
}

impl Parted {
    fn forward(&self, x: &Tensor, cond: &Tensor, interrupt: &Interrupt) -> Result<Tensor> {
        let values: Vec<f32> = x.flatten_all()?.to_vec1()?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let known = last
            .as_ref()
            .filter(|(of, t)| *of == values && t.dim(0).ok() == x.dim(0).ok());
        let video = match known {
            Some((_, video)) => video.clone(),
            None => {
                let video = self.video.forward(std::slice::from_ref(x), interrupt)?;
                *last = Some((values, video.clone()));
                video
            }
        };
        join::add_still(
            &video,
            &self.cond.forward(&[cond.unsqueeze(2)?], interrupt)?,
        )
    }
}

impl Unet {
    /// Has the input layer treat what conditions by itself, on the CPU: for a stage whose encoder says as
    /// much as the video does. The sums are the same in another order.
    ///
    /// # Errors
    /// When the network has no such channels.
    pub fn part_input(&mut self) -> Result<()> {
        let (cond, video) = self.init_conv.split(self.config.cond_images_channels)?;
        self.parted = Some(Parted {
            cond,
            video,
            last: Mutex::default(),
        });
        Ok(())
    }

    /// Builds the network of `config` from the tensors below `p`, by the published names.
    ///
    /// # Errors
    /// When the configuration is not buildable or the device fails; missing tensors are reported
    /// by [`Params::load`].
    pub fn new(config: &UnetConfig, p: &Params) -> Result<Self> {
        config.check().map_err(candle_core::Error::Msg)?;
        let d = config.dim;
        let (heads, width) = (config.attn_heads, config.attn_dim_head);
        let widths = Widths {
            time: config.time_cond_dim(),
            tokens: d,
        };
        let levels = config.levels();
        let last = levels.len() - 1;
        let cross =
            |i: usize| Extras::cross_only(config.layer_cross_attns[i].then_some((heads, width)));
        let over_time = |peg: &Params, attention: &Params, c: usize| {
            OverTime::new(peg, attention, c, heads, width)
        };

        let mut downs = Vec::new();
        for (i, &(from, to)) in levels.iter().enumerate() {
            let p = p.at(format!("downs.{i}"));
            let groups = config.resnet_groups[i];
            let c = if config.memory_efficient { to } else { from };
            let block =
                |p: &Params, extras: &Extras| ResnetBlock::new(p, (c, c), widths, groups, extras);
            let before = config
                .memory_efficient
                .then(|| Down::shuffle(&p.at(0), from, to))
                .transpose()?;
            let after = match (config.memory_efficient, i == last) {
                (true, _) => None,
                (false, false) => Some(Down::shuffle(&p.at(7), from, to)?),
                (false, true) => Some(Down::parallel(&p.at(7), from, to)?),
            };
            downs.push(DownLevel {
                before,
                init: block(&p.at(1), &cross(i))?,
                blocks: (0..config.num_resnet_blocks[i])
                    .map(|r| block(&p.at(2).at(r), &Extras::CONTEXT))
                    .collect::<Result<_>>()?,
                over_time: over_time(&p.at(4), &p.at(5), c)?,
                after,
            });
        }

        let mut ups = Vec::new();
        for j in 0..levels.len() {
            let i = last - j;
            let (to, out) = levels[i];
            let skip = if config.memory_efficient { out } else { to };
            let groups = config.resnet_groups[i];
            let p = p.at(format!("ups.{j}"));
            let block = |p: &Params, extras: &Extras| {
                ResnetBlock::new(p, (out + skip, out), widths, groups, extras)
            };
            let up = (config.memory_efficient || j != last)
                .then(|| Upsample::new(&p.at(6), out, to))
                .transpose()?;
            ups.push(UpLevel {
                init: block(&p.at(0), &cross(i))?,
                blocks: (0..config.num_resnet_blocks[i])
                    .map(|r| block(&p.at(1).at(r), &Extras::CONTEXT))
                    .collect::<Result<_>>()?,
                over_time: over_time(&p.at(3), &p.at(4), out)?,
                up,
            });
        }

        let mid = levels[last].1;
        let (top_groups, mid_groups) = (config.resnet_groups[0], config.resnet_groups[last]);
        let mid_extras = Extras::cross_only(Some(MIDDLE_CROSS));
        let mid_block =
            |name: &str| ResnetBlock::new(&p.at(name), (mid, mid), widths, mid_groups, &mid_extras);
        let top_block = |name: &str| {
            ResnetBlock::new(&p.at(name), (d, d), widths, top_groups, &Extras::CONTEXT)
        };
        let lowres_channels = if config.lowres_cond {
            config.channels
        } else {
            0
        };
        // A plain network leaves the last up level at that level's width, which is level 0's.
        let top = if config.memory_efficient {
            d
        } else {
            levels[0].1
        };
        if top != d {
            return Err(candle_core::Error::Msg(
                "`dim_mults` must begin with 1 in a network that is not memory-efficient".into(),
            ));
        }
        Ok(Self {
            init_conv: CrossEmbed::new(&p.at("init_conv"), config.input_channels(), d)?,
            parted: None,
            init_over_time: over_time(&p.at("init_temporal_peg"), &p.at("init_temporal_attn"), d)?,
            time: TimeEmbedding::new(p, "time", config)?,
            lowres_time: config
                .lowres_cond
                .then(|| TimeEmbedding::new(p, "lowres_time", config))
                .transpose()?,
            ef: EfConditioning::new(p, config)?,
            norm_cond: LastNorm::affine(&p.at("norm_cond"), d)?,
            init_block: config
                .memory_efficient
                .then(|| top_block("init_resnet_block"))
                .transpose()?,
            downs,
            mid_block1: mid_block("mid_block1")?,
            mid_attention: config
                .attend_at_middle
                .then(|| MiddleAttention::new(&p.at("mid_attn.fn.fn"), mid, heads, width))
                .transpose()?,
            mid_over_time: over_time(&p.at("mid_temporal_peg"), &p.at("mid_temporal_attn"), mid)?,
            mid_block2: mid_block("mid_block2")?,
            ups,
            final_block: top_block("final_res_block")?,
            final_conv: SpatialConv::new_5d(
                &p.at("final_conv"),
                d + lowres_channels,
                config.channels,
                3,
            )?,
            config: config.clone(),
            replay: Replay::default(),
        })
    }

    pub fn config(&self) -> &UnetConfig {
        &self.config
    }

    /// The network's raw output F, `[m b, channels, f, h, w]`: m versions of every sample of x, as
    /// many as there are of the noise level and the EF, one whole batch after the other.
    ///
    /// # Errors
    /// On mismatched shapes, when the device fails, or when interrupted.
    pub fn forward(&self, inputs: &Inputs, pass: &Pass) -> Result<Tensor> {
        let lowres = inputs.lowres.map(|(video, _)| video);
        let x = self.embed(inputs.x, inputs.cond_image, lowres, pass)?;
        self.forward_from(&x, inputs, pass)
    }

    /// As [`Unet::forward`], from what [`Unet::embed`] made of the inputs.
    ///
    /// # Errors
    /// As [`Unet::forward`].
    pub fn forward_from(&self, embedded: &Tensor, inputs: &Inputs, pass: &Pass) -> Result<Tensor> {
        if pass.probe.is_some() || pass.ignore_time {
            return self.compute(embedded, inputs, pass);
        }
        let EfTokens { tokens, summary } = inputs.ef;
        let mut tensors = vec![
            embedded.clone(),
            inputs.time.clone(),
            tokens.clone(),
            summary.clone(),
        ];
        if let Some((video, time)) = inputs.lowres {
            tensors.extend([video.clone(), time.clone()]);
        }
        let x = inputs.x;
        self.replay.run(&tensors, &|tensors| match tensors {
            [embedded, time, tokens, summary, lowres @ ..] => {
                let ef = EfTokens {
                    tokens: tokens.clone(),
                    summary: summary.clone(),
                };
                let inputs = Inputs {
                    x,
                    time,
                    ef: &ef,
                    cond_image: None,
                    lowres: lowres.first().zip(lowres.get(1)),
                };
                self.compute(embedded, &inputs, pass)
            }
            _ => Err(candle_core::Error::Msg("tensors are missing".into())),
        })
    }

    /// What depends on the noise level and the EF.
    fn compute(&self, embedded: &Tensor, inputs: &Inputs, pass: &Pass) -> Result<Tensor> {
        let mut x = embedded.clone();
        let (t, tokens) = self.condition(inputs, pass)?;
        let block = |b: &ResnetBlock, x: &Tensor| b.forward(x, &t, &tokens, pass);

        if let Some(init) = &self.init_block {
            x = block(init, &x)?;
            pass.see("init_resnet_block", &x);
        }
        let mut skips = Vec::new();
        for (i, level) in self.downs.iter().enumerate() {
            if let Some(down) = &level.before {
                x = down.forward(&x, pass)?;
            }
            x = block(&level.init, &x)?;
            pass.see(&format!("down{i}.init_block"), &x);
            for b in &level.blocks {
                x = block(b, &x)?;
                skips.push(x.clone());
            }
            x = level.over_time.forward(&x, pass)?;
            skips.push(x.clone());
            if let Some(down) = &level.after {
                x = down.forward(&x, pass)?;
            }
            pass.see(&format!("down{i}.out"), &x);
        }

        x = block(&self.mid_block1, &x)?;
        pass.see("mid_block1", &x);
        if let Some(attention) = &self.mid_attention {
            x = attention.forward(&x, pass.interrupt)?;
            pass.see("mid_attn", &x);
        }
        x = self.mid_over_time.forward(&x, pass)?;
        x = block(&self.mid_block2, &x)?;
        pass.see("mid.out", &x);

        let mut with_skip = |x: &Tensor| -> Result<Tensor> {
            let skip = skips
                .pop()
                .ok_or_else(|| candle_core::Error::Msg("more pops than skips".into()))?;
            join::join(x, &skip, std::f64::consts::FRAC_1_SQRT_2)
        };
        for (j, level) in self.ups.iter().enumerate() {
            x = block(&level.init, &with_skip(&x)?)?;
            for b in &level.blocks {
                x = block(b, &with_skip(&x)?)?;
            }
            x = level.over_time.forward(&x, pass)?;
            if let Some(up) = &level.up {
                x = up.forward(&x)?;
            }
            pass.see(&format!("up{j}.out"), &x);
        }
        x = block(&self.final_block, &x)?;
        pass.see("final_res_block", &x);
        if let Some((lowres, _)) = inputs.lowres {
            let copies = x.dim(0)? / lowres.dim(0)?;
            x = join::join(&x, &join::repeat(lowres, copies)?, 1.0)?;
        }
        self.final_conv.forward_out(&x, pass.interrupt)
    }

    /// What the network makes of its pictures before it hears of the noise level and the EF: joins
    /// them as `[cond, noisy, lowres]` and applies the input layers, `[b, dim, f, h, w]`.
    ///
    /// # Errors
    /// As [`Unet::forward`].
    pub fn embed(
        &self,
        x: &Tensor,
        cond_image: Option<&Tensor>,
        lowres: Option<&Tensor>,
        pass: &Pass,
    ) -> Result<Tensor> {
        let (_, _, _, h, w) = x.dims5()?;
        let parted = self.parted.as_ref().filter(|_| x.device().is_cpu());
        if let (Some(parted), Some(cond), None) = (parted, cond_image, lowres) {
            let x = parted.forward(x, cond, pass.interrupt)?;
            pass.see("init_conv", &x);
            return self.over_time(x, pass);
        }
        let mut pictures = Vec::with_capacity(3);
        if let Some(image) = cond_image {
            let image = image.unsqueeze(2)?;
            pictures.push(resize(&image, self.config.resize_mode, 1, h, w)?);
        }
        pictures.push(x.clone());
        pictures.extend(lowres.cloned());
        let x = self.init_conv.forward(&pictures, pass.interrupt)?;
        pass.see("init_conv", &x);
        self.over_time(x, pass)
    }

    /// The end of the input layers.
    fn over_time(&self, mut x: Tensor, pass: &Pass) -> Result<Tensor> {
        if !pass.ignore_time {
            x = self.init_over_time.peg(&x)?;
            pass.see("init_temporal_peg", &x);
            x = self.init_over_time.attention(&x, pass)?;
            pass.see("init_temporal_attn", &x);
        }
        Ok(x)
    }

    /// What the network hears of an EF: the same for every noise level.
    ///
    /// `ef` `[b, 1, 1]` is a fraction; `keep` `[b]` is 1 where it is shown to the network, 0 for
    /// the null branch of guidance.
    ///
    /// # Errors
    /// On mismatched shapes, or when the device fails.
    pub fn ef_tokens(&self, ef: &Tensor, keep: &Tensor) -> Result<EfTokens> {
        let (tokens, summary) = self.ef.forward(ef, keep)?;
        Ok(EfTokens { tokens, summary })
    }

    /// The time vector `[b, T]` and the conditioning tokens `[b, n, dim]`.
    fn condition(&self, inputs: &Inputs, pass: &Pass) -> Result<(Tensor, Tensor)> {
        let (mut t, tokens) = self.time.forward(inputs.time, self.config.dim)?;
        let mut all = vec![tokens];
        if let (Some(embedding), Some((_, time))) = (&self.lowres_time, inputs.lowres) {
            let (lowres_t, tokens) = embedding.forward(time, self.config.dim)?;
            t = (t + lowres_t)?;
            all.push(tokens);
        }
        let EfTokens { tokens, summary } = inputs.ef;
        pass.see("text_tokens_pooled", tokens);
        all.push(tokens.clone());
        let t = (t + summary)?;
        let tokens = self.norm_cond.forward(&Tensor::cat(&all, 1)?)?;
        pass.see("t", &t);
        pass.see("c_tokens", &tokens);
        Ok((t, tokens))
    }
}
